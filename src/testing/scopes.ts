const graphqlResources =
  'attachments categories classifications comments contacts events external_ids fields groups note_templates ' +
  'pipelines projects research tasks users versions';

/** Any one of these gives access to `/v1/graphql`. */
export const graphqlScopes: readonly string[] = graphqlResources.split(' ').map((name) => `${name}:read`);

export const restScopes: readonly string[] = ['rest_api:read', 'rest_api:fields:read', 'rest_api:write'];
