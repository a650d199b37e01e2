package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// S3 is a storage that speaks S3, with one bucket.
type S3 struct {
	URL, Bucket, Key, Secret string
	Dir                      string // where the bucket's objects are files
}

// StartS3 runs a versitygw, which serves a directory.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	bin := Need(t, "versitygw")
	root, addr := t.TempDir(), fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	s := &S3{URL: "http://" + addr, Bucket: "files", Key: "test-key", Secret: "test-secret", Dir: filepath.Join(root, "files")}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "--port", addr, "posix", "--nometa", root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.Key, "ROOT_SECRET_KEY="+s.Secret)
	Spawn(t, NewLog(t, "versitygw"), cmd).WaitListening(t, addr)
	return s
}
