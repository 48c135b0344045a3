// @ts-check
/** The code under test: somebody's integration, given the axios instance it is to use. */

/** @param {import('axios').AxiosInstance} bipsync */
export function createNotes(bipsync) {
  return {
    /** @returns {Promise<string[]>} */
    async titles() {
      const { data } = await bipsync.get('/v1/research');
      return data.data.map((/** @type {{ title: string }} */ { title }) => title);
    },
    /** @param {string} title */
    async create(title) {
      const { data } = await bipsync.post('/v1/research', { title });
      return data;
    },
  };
}
