import { contenders, noopAdapter, noopTarget } from './lib/contenders.mjs';
const name = process.argv[2];
const api = await contenders[name](noopTarget({ adapter: noopAdapter({ isOpen: false }).adapter }));
for (let i=0;i<20000;i++) await api.get('/v1/research/note-1');
const t=process.cpuUsage(); const N=150000;
for (let i=0;i<N;i++) await api.get('/v1/research/note-1');
const u=process.cpuUsage(t); console.log(name, ((u.user+u.system)/N).toFixed(2),'us');
