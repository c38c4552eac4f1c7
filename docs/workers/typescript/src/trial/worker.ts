import { run } from '../worker';
import { trialActivities } from './activities';

void run(require.resolve('./workflows.bundle.js'), trialActivities);
