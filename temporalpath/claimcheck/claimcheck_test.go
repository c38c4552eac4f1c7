package claimcheck_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"sluice/temporalpath/claimcheck"
)

func payload(n int) *commonpb.Payload {
	return &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")},
		Data:     []byte(`"` + strings.Repeat("x", n) + `"`),
	}
}

func directoryDriver(t *testing.T) (converter.StorageDriver, string) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "payloads")
	driver, err := claimcheck.Directory(root, claimcheck.ForOwner())
	if err != nil {
		t.Fatal(err)
	}
	return driver, root
}

func bucketDriver(t *testing.T) converter.StorageDriver {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("documents"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	driver, err := claimcheck.S3(claimcheck.Bucket{
		Name: "documents", Region: "eu-central-1", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	return driver
}

func TestLargePayloadsTravelAsReferences(t *testing.T) {
	dir, _ := directoryDriver(t)
	for name, driver := range map[string]converter.StorageDriver{"directory": dir, "s3": bucketDriver(t)} {
		t.Run(name, func(t *testing.T) {
			check, err := claimcheck.New(driver, 1024)
			if err != nil {
				t.Fatal(err)
			}
			large := payload(100_000)
			stored, err := check.Store(t.Context(), large)
			if err != nil {
				t.Fatal(err)
			}
			if proto.Size(stored) > 1500 {
				t.Errorf("the reference is %d bytes", proto.Size(stored))
			}
			loaded, err := check.Load(t.Context(), stored)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(loaded, large) {
				t.Error("what was loaded is not what was stored")
			}
			small := payload(10)
			same, err := check.Store(t.Context(), small)
			if err != nil || same != small {
				t.Errorf("a small payload was moved: %v, %v", same, err)
			}
			if same, err = check.Load(t.Context(), small); err != nil || same != small {
				t.Errorf("a plain payload was not left alone: %v, %v", same, err)
			}
		})
	}
}

func TestDamagedAndMissingFilesAreRefused(t *testing.T) {
	driver, root := directoryDriver(t)
	check, err := claimcheck.New(driver, 1)
	if err != nil {
		t.Fatal(err)
	}
	reference, err := check.Store(t.Context(), payload(5000))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], bytes.Replace(data, []byte("xxx"), []byte("xyx"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := check.Load(t.Context(), reference); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged file gave %v", err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := check.Load(t.Context(), reference); err == nil {
		t.Error("a missing file gave no error")
	}
}

func TestIncompleteBucketIsRefused(t *testing.T) {
	if _, err := claimcheck.S3(claimcheck.Bucket{Name: "documents"}); err == nil || !strings.Contains(err.Error(), "region") {
		t.Errorf("got %v", err)
	}
	if _, err := claimcheck.Directory("", claimcheck.ForOwner()); err == nil {
		t.Error("an unnamed directory was taken")
	}
}
