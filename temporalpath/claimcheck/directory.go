package claimcheck

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// directoryName is the driver's name in Temporal's histories; to change it
// would make what is stored unreadable.
const directoryName = "sluice.directory"

// Permissions are those of what a driver makes in its directory, whatever the umask.
type Permissions struct{ Files, Directories fs.FileMode }

// ForOwner is for processes of one user: nobody else may read what is stored.
func ForOwner() Permissions { return Permissions{Files: 0o600, Directories: 0o750} }

// ForGroup is for processes of several users that are in the group of the directory.
// What is made below it gets the same group.
func ForGroup() Permissions { return Permissions{Files: 0o640, Directories: 0o770 | fs.ModeSetgid} }

// directory keeps each payload in a file named by its SHA-256. A file that is
// there is whole: it is written aside, synced and renamed.
type directory struct {
	root        string
	permissions Permissions
}

// Directory returns the driver that keeps payloads in the directory, which the first
// of them makes if need be. Gateway and workers must see the same one.
func Directory(root string, permissions Permissions) (converter.StorageDriver, error) {
	if root == "" {
		return nil, errors.New("claim check: the directory is not named")
	}
	return directory{root, permissions}, nil
}

func (d directory) Name() string { return directoryName }
func (d directory) Type() string { return directoryName }

func (d directory) Store(_ converter.StorageDriverStoreContext, payloads []*commonpb.Payload) ([]converter.StorageDriverClaim, error) {
	claims := make([]converter.StorageDriverClaim, len(payloads))
	for i, p := range payloads {
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		digest := hex.EncodeToString(sum[:])
		if err := d.write(digest, data); err != nil {
			return nil, fmt.Errorf("claim check: %w", err)
		}
		claims[i] = converter.StorageDriverClaim{ClaimData: map[string]string{"sha256": digest}}
	}
	return claims, nil
}

func (d directory) write(digest string, data []byte) error {
	path := d.path(digest)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(d.root), 0o750), d.makeDirectory(d.root), d.makeDirectory(filepath.Dir(path))); err != nil {
		return err
	}
	f, err := os.CreateTemp(d.root, ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it is renamed
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(d.permissions.Files), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// makeDirectory makes a directory that is not there. Processes of other users that come
// before it has its permissions are refused, and try again as after any failure.
func (d directory) makeDirectory(path string) error {
	switch err := os.Mkdir(path, d.permissions.Directories); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return os.Chmod(path, d.permissions.Directories) // the umask may have taken some away
}

func (d directory) Retrieve(_ converter.StorageDriverRetrieveContext, claims []converter.StorageDriverClaim) ([]*commonpb.Payload, error) {
	payloads := make([]*commonpb.Payload, len(claims))
	for i, claim := range claims {
		digest := claim.ClaimData["sha256"]
		if raw, err := hex.DecodeString(digest); err != nil || len(raw) != sha256.Size {
			return nil, fmt.Errorf("claim check: %q is not a SHA-256", digest)
		}
		data, err := os.ReadFile(d.path(digest))
		if err != nil {
			return nil, fmt.Errorf("claim check: %w", err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
			return nil, fmt.Errorf("claim check: %s is damaged", d.path(digest))
		}
		payloads[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(data, payloads[i]); err != nil {
			return nil, fmt.Errorf("claim check: %s: %w", d.path(digest), err)
		}
	}
	return payloads, nil
}

func (d directory) path(digest string) string {
	return filepath.Join(d.root, digest[:2], digest)
}
