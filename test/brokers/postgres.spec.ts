import { openPostgres } from '../../src/brokers/sql/postgres/open.ts';
import { postgres } from '../support/servers/postgres.ts';
import { itKeepsTheContractOn } from './contract-on-server.ts';

itKeepsTheContractOn(postgres, openPostgres);
