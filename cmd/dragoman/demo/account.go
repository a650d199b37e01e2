package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dragoman-im/dragoman/core/accounts"
)

// openAccount makes the account, or uses the one that an earlier demo made in this directory.
func (s *localServer) openAccount(ctx context.Context) (err error) {
	opened, err := accounts.Open(ctx, s.config)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	all, err := opened.List(ctx)
	if err != nil {
		return err
	}
	name := s.options.user + "@" + servedHost
	known := false
	for _, a := range all {
		known = known || a.JID.String() == name
	}
	file := filepath.Join(s.config.Server.Data, s.options.user+".password")
	kept, err := os.ReadFile(file)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--data: %w", err)
	case known && err == nil:
		s.password = strings.TrimSpace(string(kept))
		return nil
	case known:
		return fmt.Errorf("%s has an account %s that was not made by a demo: choose another name with --user, or another directory with --data", s.options.data, name)
	}
	s.password = newPassword()
	if _, err := opened.Add(ctx, name, s.password); err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	return os.WriteFile(file, []byte(s.password+"\n"), 0o600)
}

// newPassword is random and easy to type: three groups of four letters, 56 bits.
func newPassword() string {
	const letters = "abcdefghijkmnopqrstuvwxyz"
	b := make([]byte, 0, 14)
	for n := 0; n < 12; {
		var r [1]byte
		_, _ = rand.Read(r[:]) // never fails
		if int(r[0]) >= 256/len(letters)*len(letters) {
			continue // otherwise some letters would be more frequent
		}
		if n == 4 || n == 8 {
			b = append(b, '-')
		}
		b = append(b, letters[int(r[0])%len(letters)])
		n++
	}
	return string(b)
}
