// @ts-check
/** The code under test: an integration, which gets the axios instance that it must use. */

/** @param {import('axios').AxiosInstance} bipsync */
export function createNotes(bipsync) {
  return {
    /** @returns {Promise<string[]>} */
    async titles() {
      const { data } = await bipsync.get('/v1/research');
      return data.results.map((/** @type {{ title: string }} */ { title }) => title);
    },
    /**
     * @param {string} title
     * @returns {Promise<string>} the note's id
     */
    async create(title) {
      const { data } = await bipsync.post('/v2/research/note', { user: 'user-1', title });
      return data.id;
    },
  };
}
