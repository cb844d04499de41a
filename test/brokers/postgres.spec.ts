import { openPostgres } from '../../src/brokers/database/postgres/open.ts';
import { postgres } from '../servers/postgres.ts';
import { itKeepsTheContractOn } from './contract-on-server.ts';

itKeepsTheContractOn(postgres, openPostgres);
