package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"

	"go.temporal.io/sdk/temporal"
)

// Store keeps documents in a directory, one file each.
type Store struct {
	Directory string
	// Shadow says that it is the store of shadow runs, which leave nothing in the real one.
	Shadow bool
}

// StoreDocument is the activity that stores a document. A repeat changes nothing. It
// returns the document's size in bytes.
func (s *Store) StoreDocument(_ context.Context, in Input) (size int, err error) {
	if in.Shadow != s.Shadow {
		return 0, temporal.NewNonRetryableApplicationError("the document came on the wrong task queue", "WrongTaskQueue", nil)
	}
	data, err := in.bytes()
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(s.Directory, 0o750); err != nil {
		return 0, err
	}
	draft, err := os.CreateTemp(s.Directory, ".writing-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(draft.Name()) // in vain once it is renamed
	if _, err := draft.Write(data); err != nil {
		return 0, err
	}
	if err := draft.Close(); err != nil {
		return 0, err
	}
	return len(data), os.Rename(draft.Name(), filepath.Join(s.Directory, in.fileName()))
}

// bytes returns the body: the text of a JSON value without its white space, or the bytes
// as they came.
func (in Input) bytes() (raw []byte, err error) {
	switch in.BodyEncoding {
	case "":
		return in.Body, nil
	case "base64":
		err = json.Unmarshal(in.Body, &raw) // base64 is how encoding/json reads bytes
		return raw, err
	}
	return nil, temporal.NewNonRetryableApplicationError("the body has the unknown encoding "+in.BodyEncoding, "UnknownEncoding", nil)
}

// fileName names the document, which is tenant and doc_id: neither is fit for a file's name.
func (in Input) fileName() string {
	sum := sha256.Sum256([]byte(in.Tenant + "\x00" + in.DocID))
	return hex.EncodeToString(sum[:])
}
