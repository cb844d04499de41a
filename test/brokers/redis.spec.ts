import { openRedis } from '../../src/brokers/redis/open.ts';
import { redis } from '../support/servers/redis.ts';
import { itKeepsTheContractOn } from './contract-on-server.ts';

itKeepsTheContractOn(redis, openRedis);
