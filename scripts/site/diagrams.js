/* Draws the Mermaid diagrams of a page, light or dark as the page is. Pages without a diagram do not load the library. */
(() => {
  const sources = [...document.querySelectorAll('pre > code.mermaid')];
  if (sources.length === 0) return;

  const diagrams = sources.map((code) => {
    const figure = document.createElement('figure');
    figure.className = 'mermaid';
    figure.style.margin = '1em 0';
    code.parentElement.replaceWith(figure);
    return { figure, text: code.textContent };
  });
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');

  async function draw() {
    const { theme } = document.documentElement.dataset;
    const isDark = theme === 'dark' || (theme !== 'light' && prefersDark.matches);
    globalThis.mermaid.initialize({ startOnLoad: false, theme: isDark ? 'dark' : 'default' });
    for (const [position, { figure, text }] of diagrams.entries()) {
      figure.innerHTML = (await globalThis.mermaid.render(`diagram-${position}`, text)).svg;
    }
  }

  const library = document.createElement('script');
  library.src = `${document.documentElement.dataset.base}assets/mermaid.js`;
  library.onload = () => {
    void draw();
    prefersDark.addEventListener('change', draw);
    new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  };
  document.head.append(library);
})();
