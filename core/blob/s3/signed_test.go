package s3

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/blob"
)

func testBucket(t *testing.T, address, public string) *Bucket {
	t.Helper()
	b, err := Open(Options{URL: address, Public: public, Region: "r", Bucket: "bucket", Key: "k", Secret: "s"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A storage is used directly only if it refuses what is longer than its address is signed for, and accepts what is not.
func TestCheckSigned(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		accepts    func(size int64) bool
		unenforced bool
		fails      bool
	}{
		"enforced":   {accepts: func(size int64) bool { return size == 1 }},
		"unenforced": {accepts: func(int64) bool { return true }, unenforced: true, fails: true},
		"no rights":  {accepts: func(int64) bool { return false }, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var methods []string
			storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				methods = append(methods, r.Method)
				mu.Unlock()
				switch {
				case r.Method == http.MethodDelete:
					w.WriteHeader(http.StatusNoContent)
				case !c.accepts(r.ContentLength):
					w.WriteHeader(http.StatusForbidden)
				}
			}))
			defer storage.Close()
			err := testBucket(t, storage.URL, "https://files.example").CheckSigned(t.Context())
			if errors.Is(err, blob.ErrUnenforced) != c.unenforced || (err != nil) != c.fails {
				t.Errorf("%v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if stored := c.accepts(1); stored != slices.Contains(methods, http.MethodDelete) {
				t.Errorf("requests: %v", methods)
			}
		})
	}
}

// Addresses for clients have the public address, are good for the time, and are signed for the headers.
func TestPutURL(t *testing.T) {
	t.Parallel()
	b := testBucket(t, "http://127.0.0.1:1", "https://files.example")
	for typ, signed := range map[string]string{"": "content-length;host", "image/png": "content-length;content-type;host"} {
		text, err := b.PutURL(t.Context(), "0123456789abcdefghij", 3, typ, 5*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if q := u.Query(); !strings.HasPrefix(text, "https://files.example/bucket/0123456789abcdefghij?") || q.Get("X-Amz-Expires") != "300" || q.Get("X-Amz-SignedHeaders") != signed {
			t.Error(text)
		}
	}
	if _, err := b.PutURL(t.Context(), "../../etc/passwd", 3, "", time.Minute); !errors.Is(err, blob.ErrID) {
		t.Errorf("a path: %v", err)
	}
}
