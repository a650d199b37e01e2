package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/database"
)

// Files and directories that cannot be right stop the start, with what to do about them.
func TestFilesAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string // DIR is the data directory
	}{
		"nothing":   {func(string) error { return nil }, ""},
		"no key":    {func(dir string) error { return os.Remove(filepath.Join(dir, "sasl.key")) }, ""},
		"empty key": {func(dir string) error { return os.Truncate(filepath.Join(dir, "sasl.key"), 0) }, "DIR/sasl.key is empty"},
		"short key": {func(dir string) error { return os.Truncate(filepath.Join(dir, "sasl.key"), 5) }, "DIR/sasl.key has 5 bytes instead of 32"},
		"open key":  {func(dir string) error { return os.Chmod(filepath.Join(dir, "sasl.key"), 0o644) }, "chmod 600 DIR/sasl.key"},
		"empty certificate": {
			func(dir string) error { return os.Truncate(filepath.Join(dir, "self-signed.pem"), 0) }, "DIR/self-signed.pem is empty",
		},
		"open certificate": {
			func(dir string) error { return os.Chmod(filepath.Join(dir, "self-signed.pem"), 0o640) }, "chmod 600 DIR/self-signed.pem",
		},
		"torn certificate": {
			func(dir string) error { return os.Truncate(filepath.Join(dir, "self-signed.pem"), 100) }, "DIR/self-signed.pem: ",
		},
		"empty database": {
			func(dir string) error { return os.Truncate(filepath.Join(dir, database.Name), 0) }, "the database DIR/dragoman.db is empty (0 bytes)",
		},
		"no database":    {func(dir string) error { return os.Remove(filepath.Join(dir, database.Name)) }, ""},
		"open directory": {func(dir string) error { return os.Chmod(dir, 0o777) }, "server.data: every user of this machine can change the files in DIR (mode 0777)"},
		"a file instead of the directory": {func(dir string) error {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			return os.WriteFile(dir, nil, 0o600)
		}, "server.data: mkdir DIR: not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			settings, err := config.Parse(fmt.Appendf(nil, "[server]\nhosts = [\"home.test\"]\ndata = %q\n[listen]\nc2s = []\nc2s_tls = []\ncomponent = []\nhttp = []\nhttp_tls = []\n", dir), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			start := func() error {
				s, err := New(context.Background(), settings, Options{})
				if err != nil {
					return err
				}
				return s.Close()
			}
			if err := start(); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			err = start()
			want := strings.ReplaceAll(c.want, "DIR", dir)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}

// The certificate that clients may trust is in a file without its key, which everybody may read.
func TestPublicCertificate(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	text, err := os.ReadFile(filepath.Join(p.server.config.Server.Data, "self-signed.crt"))
	if err != nil || !strings.Contains(string(text), "BEGIN CERTIFICATE") || strings.Contains(string(text), "PRIVATE") {
		t.Errorf("%s %v", text, err)
	}
}
