import { run } from '../cluster/tools.ts';
import type { Resource } from './state.ts';

const aws = async (...args: string[]): Promise<void> => {
  await run('aws', args);
};
const text = ({ values }: Resource, name: string) => String(values[name]);

/** The secret that RDS makes for the administrator of the database. The emulator has it from the beginning. */
export const administratorSecret = 'rds-administrator';

/** How to make a resource in moto. Other kinds of resources are not there: they have no emulator. */
const make: Record<string, (resource: Resource) => Promise<void>> = {
  aws_secretsmanager_secret: (secret) =>
    aws('secretsmanager', 'create-secret', '--name', text(secret, 'name')),
  aws_cloudwatch_event_bus: (bus) => aws('events', 'create-event-bus', '--name', text(bus, 'name')),
  aws_cloudwatch_event_archive: (archive) =>
    aws(
      'events',
      'create-archive',
      ...['--archive-name', text(archive, 'name')],
      ...['--event-source-arn', text(archive, 'event_source_arn')],
      ...['--event-pattern', text(archive, 'event_pattern')],
    ),
  aws_ecr_repository: (repository) =>
    aws('ecr', 'create-repository', '--repository-name', text(repository, 'name')),
  aws_ssm_parameter: (parameter) =>
    aws(
      'ssm',
      'put-parameter',
      ...['--name', text(parameter, 'name'), '--type', 'String'],
      ...['--value', text(parameter, 'insecure_value')],
    ),
};

const remove: Record<string, (resource: Resource) => Promise<void>> = {
  aws_secretsmanager_secret: (secret) =>
    aws('secretsmanager', 'delete-secret', '--secret-id', text(secret, 'name')),
  aws_cloudwatch_event_archive: (archive) =>
    aws('events', 'delete-archive', '--archive-name', text(archive, 'name')),
  aws_cloudwatch_event_bus: (bus) => aws('events', 'delete-event-bus', '--name', text(bus, 'name')),
  aws_ecr_repository: (repository) =>
    aws('ecr', 'delete-repository', '--repository-name', text(repository, 'name')),
  aws_ssm_parameter: (parameter) => aws('ssm', 'delete-parameter', '--name', text(parameter, 'name')),
};

/** Works on the resources that moto knows, one kind after the other. */
async function forEach(
  resources: Resource[],
  actions: Record<string, (resource: Resource) => Promise<void>>,
): Promise<void> {
  for (const [type, act] of Object.entries(actions))
    await Promise.all(resources.filter((resource) => resource.type === type).map(act));
}

export const makePlatform = (resources: Resource[]): Promise<void> => forEach(resources, make);
export const removePlatform = (resources: Resource[]): Promise<void> => forEach(resources, remove);
