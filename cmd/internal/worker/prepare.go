package worker

import (
	"errors"
	"path/filepath"
	"strings"

	"sluice/cmd/internal/connect"
	"sluice/configs"
	"sluice/temporalpath"
	"sluice/temporalpath/claimcheck"
	"sluice/temporalpath/ingestion/stores"
)

// prepared is what is read of the configuration, and of the files that it names, before
// anything is opened.
type prepared struct {
	dialing    temporalpath.Dialing
	claimCheck *claimcheck.Check // nil if it is off
}

// Check finds all that Open would refuse of the configuration and of the files that it
// names. It uses no port and no network, and changes nothing on the disk.
func Check(config configs.Config, options Options) error {
	w := &Worker{config: config.Worker, options: options}
	return w.prepare(config)
}

// prepare is the beginning of Open, and all of Check. It finds everything that is wrong
// at once.
func (w *Worker) prepare(config configs.Config) error {
	var dialing, check error
	w.dialing, dialing = connect.Dialing(config.Temporal)
	w.claimCheck, check = connect.ClaimCheck(config.Temporal.ClaimCheck, w.options.Lookup)
	wrong := []error{dialing, check, checkStores("worker.stores.", dsns(w.config.Stores)), w.apart()}
	if w.config.ShadowTaskQueue != "" {
		wrong = append(wrong, checkStores("worker.shadow_stores.", dsns(w.config.ShadowStores)))
	}
	return errors.Join(wrong...)
}

// checkStores finds what is wrong with DSNs, and with the directories of SQLite's files.
func checkStores(key string, all stores.DSNs) error {
	var wrong []error
	for _, kind := range stores.Kinds() {
		dsn := all.Of(kind)
		err := stores.CheckDSN(dsn)
		if path, isFile := strings.CutPrefix(dsn, "sqlite:"); err == nil && isFile {
			path, _, _ = strings.Cut(path, "?")
			err = connect.Directory(filepath.Dir(path))
		}
		wrong = append(wrong, configs.At(key+string(kind), err))
	}
	return errors.Join(wrong...)
}
