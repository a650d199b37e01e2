package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Modes of the files that Write makes.
const (
	Private fs.FileMode = 0o600
	Public  fs.FileMode = 0o644
)

// Permissions that a key file, and its directory, must not give.
const (
	others      fs.FileMode = 0o077 // the group and everybody
	othersWrite fs.FileMode = 0o002 // everybody
)

// Read reads a key. It refuses an empty file and one that other users can read. The error wraps fs.ErrNotExist if there is none.
func Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&others != 0:
		return nil, fmt.Errorf("%s can be read by other users (mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)
	case info.Size() == 0:
		return nil, fmt.Errorf("%s is empty: restore it from a backup", path)
	}
	return os.ReadFile(path)
}

// Write writes a file with that mode and replaces one that is there. When it returns, the file and its name are on the disk.
func Write(path string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && mode != Private {
		err = f.Chmod(mode)
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // err says why
		return err
	}
	return syncDirectory(dir)
}

// syncDirectory writes the names in a directory to the disk.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" { // it cannot open directories
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// CheckDirectory refuses a directory in which every user could replace the keys.
func CheckDirectory(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", dir)
	case runtime.GOOS != "windows" && info.Mode().Perm()&othersWrite != 0:
		return fmt.Errorf("every user of this machine can change the files in %s (mode %04o): chmod 700 %s", dir, info.Mode().Perm(), dir)
	}
	return nil
}
