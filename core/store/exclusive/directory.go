package exclusive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// fileName is the file of the lock. It stays when the lock is released: deleting it would let two processes lock two files.
const fileName = "dragoman.lock"

// errLocked is what lockFile returns if another process has locked the file.
var errLocked = errors.New("locked")

// Directory locks a data directory. The error is a *HeldError if another process has locked it. Close releases the lock.
func Directory(ctx context.Context, dir string, role Role) (io.Closer, error) {
	return wait(ctx, role, func() (io.Closer, error) { return tryDirectory(dir, role) })
}

func tryDirectory(dir string, role Role) (io.Closer, error) {
	path := filepath.Join(dir, fileName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	err = lockFile(f)
	if err == nil {
		err = stillThere(f, path)
	}
	if errors.Is(err, errLocked) {
		text, rerr := io.ReadAll(io.LimitReader(f, 1<<10))
		held := &HeldError{What: "the data directory " + dir, Holder: parseHolder(string(text))}
		return nil, errors.Join(held, rerr, f.Close())
	}
	if err == nil {
		err = write(f, self(role).String()+"\n")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data directory: %w", err), f.Close())
	}
	return f, nil
}

// stillThere returns errLocked if the file was replaced before it was locked: another process may have locked the new one.
func stillThere(f *os.File, path string) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(path)
	if err != nil || !os.SameFile(mine, now) {
		return errLocked
	}
	return nil
}

// write replaces the text of the file, which only informs: an incomplete one does no harm.
func write(f *os.File, text string) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
