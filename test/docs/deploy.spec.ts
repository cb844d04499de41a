/** The files in examples/deploy/ for Kubernetes, KEDA and ECS: they parse, and agree with each other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import pg from 'pg';
import type { Broker } from '../../src/brokers/broker.ts';
import { keyOf } from '../../src/brokers/redis/script.ts';
import { openPostgres } from '../../src/brokers/sql/postgres/open.ts';
import { parseConfig } from '../../src/config/config.ts';
import { stopSeconds } from '../../src/host/systemd/unit.ts';
import { postgres } from '../support/servers/postgres.ts';
import { REPOSITORY } from './markdown.ts';

const FOLDER = join(REPOSITORY, 'examples/deploy');
const KEDA = ['keda-sqs.yaml', 'keda-postgres.yaml', 'keda-redis.yaml'];

function read(file: string): string {
  return readFileSync(join(FOLDER, file), 'utf8');
}

/** A resource in a YAML file, by its kind. */
function resource(file: string, kind: string): object {
  const found = (loadAll(read(file)) as { readonly kind: string }[]).filter((one) => one.kind === kind);
  expect(found, `${kind} in ${file}`).to.have.length(1);
  return found[0]!;
}

/** The value at a path such as `spec.triggers[0].type`. */
function valueAt(path: string, of: object): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((name) => name !== '')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], of);
}

describe('the deployment files', () => {
  const { container, http } = parseConfig(read('worker.ini'), join(FOLDER, 'worker.ini'), {});
  const pod = 'spec.template.spec';
  const deployment = resource('kubernetes.yaml', 'Deployment');

  describe('for Kubernetes', () => {
    it('give the service the ini file of the image', () => {
      const map = resource('kubernetes.yaml', 'ConfigMap');
      expect(map).to.have.deep.property('data', { 'worker.ini': read('worker.ini') });
    });

    it('give a container time to drain', () => {
      const seconds = stopSeconds(container.drainTimeout);
      expect(deployment).to.have.nested.property(`${pod}.terminationGracePeriodSeconds`, seconds);
    });

    it('probe the address of the status server', () => {
      const port = Number(http.listen?.split(':')[1]);
      expect(deployment).to.have.nested.property(`${pod}.containers[0].ports[0].containerPort`, port);
      for (const [probe, path] of Object.entries({
        startupProbe: '/healthz',
        livenessProbe: '/healthz',
        readinessProbe: '/readyz',
      })) {
        const get = { path, port: 'http' };
        expect(deployment)
          .to.have.nested.property(`${pod}.containers[0].${probe}.httpGet`)
          .that.deep.equals(get);
      }
    });

    it("allow the image's user to write where it must, and nowhere else", () => {
      const [, user, group] = /^USER (\d+):(\d+)$/m.exec(read('Dockerfile')) ?? [];
      expect(valueAt(`${pod}.securityContext`, deployment)).to.include({
        runAsNonRoot: true,
        runAsUser: Number(user),
        runAsGroup: Number(group),
        fsGroup: Number(group),
      });
      expect(deployment).to.have.nested.property(
        `${pod}.containers[0].securityContext.readOnlyRootFilesystem`,
        true,
      );
      const mounts = valueAt(`${pod}.containers[0].volumeMounts`, deployment) as { mountPath: string }[];
      const [, volumes = ''] = /^VOLUME (.+)$/m.exec(read('Dockerfile')) ?? [];
      expect(mounts.map(({ mountPath }) => mountPath)).to.have.members([
        '/service/worker.ini',
        ...(JSON.parse(volumes) as string[]),
      ]);
    });

    it('select the same pods', () => {
      const labels = valueAt('spec.template.metadata.labels', deployment);
      expect(valueAt('spec.selector.matchLabels', deployment)).to.deep.equal(labels);
      const budget = resource('kubernetes.yaml', 'PodDisruptionBudget');
      expect(valueAt('spec.selector.matchLabels', budget)).to.deep.equal(labels);
      const { metadata } = resource('kubernetes.yaml', 'ServiceAccount') as { metadata: { name: string } };
      expect(deployment).to.have.nested.property(`${pod}.serviceAccountName`, metadata.name);
    });
  });

  describe('for KEDA', () => {
    for (const file of KEDA) {
      it(`scale that deployment: ${file}`, () => {
        const scaled = resource(file, 'ScaledObject');
        expect(valueAt('spec.scaleTargetRef.name', scaled)).to.equal(valueAt('metadata.name', deployment));
        const authentication = resource(file, 'TriggerAuthentication');
        expect(valueAt('spec.triggers[0].authenticationRef.name', scaled)).to.equal(
          valueAt('metadata.name', authentication),
        );
      });
    }

    it('use the key of the queue in Redis', () => {
      const scaled = resource('keda-redis.yaml', 'ScaledObject');
      expect(valueAt('spec.triggers[0].metadata.listName', scaled)).to.equal(keyOf('greetings', 'visible'));
    });

    it('count visible and in-flight messages in Postgres', async function () {
      const address = postgres.addressInEnvironment();
      if (!address) this.skip();
      const query = valueAt(
        'spec.triggers[0].metadata.query',
        resource('keda-postgres.yaml', 'ScaledObject'),
      );
      const broker: Broker = await openPostgres(address);
      const client = new pg.Client(address);
      await client.connect();
      try {
        await broker.remove('greetings');
        const queue = await broker.open('greetings');
        await queue.send([{ body: 'in flight' }, { body: 'visible' }, { body: 'later', delaySeconds: 60 }]);
        await queue.receive({ max: 1, waitSeconds: 0 });
        const { rows } = await client.query(String(query));
        expect(rows).to.deep.equal([{ count: '2' }]);
      } finally {
        await broker.remove('greetings');
        await broker.close();
        await client.end();
      }
    });
  });

  describe('for ECS', () => {
    const task = JSON.parse(read('ecs-task.json')) as object;

    it('give a container time to drain, and no more than Fargate allows', () => {
      const stopTimeout = valueAt('containerDefinitions[0].stopTimeout', task);
      expect(stopTimeout).to.equal(stopSeconds(container.drainTimeout)).and.at.most(120);
    });

    it("check the container's health as the image does", () => {
      const [, command = ''] = /^HEALTHCHECK .*\\\n +CMD (.+)$/m.exec(read('Dockerfile')) ?? [];
      expect(valueAt('containerDefinitions[0].healthCheck.command', task)).to.deep.equal([
        'CMD',
        ...(JSON.parse(command) as string[]),
      ]);
    });

    it('mount the volumes of the image', () => {
      const [, volumes = ''] = /^VOLUME (.+)$/m.exec(read('Dockerfile')) ?? [];
      const mounts = valueAt('containerDefinitions[0].mountPoints', task) as { containerPath: string }[];
      expect(mounts.map(({ containerPath }) => containerPath)).to.have.members(JSON.parse(volumes));
    });

    it('scale by messages per task, with an expression of existing metrics', () => {
      const metrics = valueAt(
        'CustomizedMetricSpecification.Metrics',
        JSON.parse(read('ecs-scaling.json')) as object,
      ) as { Id: string; Expression?: string; ReturnData: boolean }[];
      const [returned] = metrics.filter(({ ReturnData }) => ReturnData);
      const named = returned?.Expression?.match(/[a-z]\w*/gi);
      expect(named).to.have.members(metrics.filter((one) => one !== returned).map(({ Id }) => Id));
    });
  });
});
