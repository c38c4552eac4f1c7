package endtoend_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"sluice/temporalpath/claimcheck"
)

// The claim check's drivers of the gateway and of the TypeScript worker make the same
// files, with the same names, bytes and permissions, and read each other's.
func TestTypeScriptClaimCheckIsTheSame(t *testing.T) {
	t.Parallel()
	for sharedBy, permissions := range map[string]claimcheck.Permissions{"owner": claimcheck.ForOwner(), "group": claimcheck.ForGroup()} {
		t.Run(sharedBy, func(t *testing.T) { sameClaimCheck(t, sharedBy, permissions) })
	}
}

func sameClaimCheck(t *testing.T, sharedBy string, permissions claimcheck.Permissions) {
	program := filepath.Join(filepath.Dir(typescriptProgram(t)), "copy.js")
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	driver, err := claimcheck.Directory(from, permissions)
	if err != nil {
		t.Fatal(err)
	}
	var payloads []*commonpb.Payload
	for _, data := range []string{"", "{}", strings.Repeat("\x00\xff", 100_000)} {
		payloads = append(payloads, &commonpb.Payload{Data: []byte(data), Metadata: map[string][]byte{
			"encoding": []byte("json/plain"), "messageType": nil, "a": []byte(data), "zz": {0},
		}})
	}
	if _, err := driver.Store(converter.StorageDriverStoreContext{Context: t.Context()}, payloads); err != nil {
		t.Fatal(err)
	}
	run := func() ([]byte, error) { return exec.Command("node", program, from, to, sharedBy).CombinedOutput() }
	if output, err := run(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	want, got := filesIn(t, from), filesIn(t, to)
	if len(want) < 2*len(payloads) || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	files, err := filepath.Glob(filepath.Join(from, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], append(data, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := run(); err == nil || !bytes.Contains(output, []byte("is damaged")) {
		t.Errorf("a damaged file was read: %v: %s", err, output)
	}
}

// filesIn lists what is below a directory: permissions, name and contents.
func filesIn(t *testing.T, root string) (all []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		var data []byte
		if !entry.IsDir() {
			data, err = os.ReadFile(filepath.Join(root, name))
		}
		all = append(all, fmt.Sprintf("%v %s %x", info.Mode(), name, data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
