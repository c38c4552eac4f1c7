package claimcheck_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"sluice/temporalpath/claimcheck"
)

// What is stored may be read by those whom the setting names, whatever the umask, and
// nothing else is left in the directory.
func TestPermissions(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	for name, permissions := range map[string]claimcheck.Permissions{"owner": claimcheck.ForOwner(), "group": claimcheck.ForGroup()} {
		root := filepath.Join(t.TempDir(), name, "payloads")
		var group sync.WaitGroup
		for range 8 { // processes that make the same directories at one time
			group.Go(func() {
				driver, err := claimcheck.Directory(root, permissions)
				if err != nil {
					t.Error(err)
					return
				}
				for n := range 20 {
					if _, err := driver.Store(converter.StorageDriverStoreContext{Context: t.Context()}, []*commonpb.Payload{payload(n)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		files := 0
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := os.Stat(path)
			want := permissions.Files
			if entry.IsDir() {
				want = permissions.Directories | fs.ModeDir
			} else {
				files++
			}
			if err == nil && info.Mode() != want {
				t.Errorf("%s: %s is %v, want %v", name, path, info.Mode(), want)
			}
			return err
		})
		if err != nil || files != 20 {
			t.Errorf("%s: %d files, %v", name, files, err)
		}
	}
}
