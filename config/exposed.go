package config

import (
	"bytes"
	"io/fs"
	"os"
	"reflect"
	"slices"

	"github.com/BurntSushi/toml"
)

// Permissions that a file with a secret should not have.
const (
	othersMayRead  fs.FileMode = 0o007
	othersMayWrite fs.FileMode = 0o002
)

// Exposed returns the files with secrets that every user of this machine can read: the configuration file
// ("" for none) if it contains a secret, the files with secrets, the key of the certificate.
func Exposed(file string, c Config) []string {
	var files []string
	eachFile(&c, func(path *string, kind string) {
		if kind == "secret" {
			files = append(files, *path)
		}
	})
	if holdsSecret(file, c) {
		files = append(files, file)
	}
	if text, err := os.ReadFile(c.TLS.Certificate); err == nil && bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		files = append(files, c.TLS.Certificate) // certificate and key in one file
	}
	slices.Sort(files)
	return slices.DeleteFunc(slices.Compact(files), func(f string) bool {
		if f == "" {
			return true
		}
		info, err := os.Stat(f)
		return err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&othersMayRead == 0
	})
}

// holdsSecret reports whether a configuration file contains a secret.
func holdsSecret(file string, c Config) bool {
	var anything map[string]any
	meta, err := toml.DecodeFile(file, &anything)
	if err != nil {
		return false
	}
	secrets := map[string]bool{}
	c.each(func(path string, f reflect.StructField, _ reflect.Value) {
		if f.Tag.Get("secret") != "" {
			secrets[path] = true
		}
	})
	c.eachRow(func(list string, _ int, row reflect.Value) {
		each(row, list+".", func(path string, f reflect.StructField, _ reflect.Value) {
			if f.Tag.Get("secret") != "" {
				secrets[path] = true
			}
		})
	})
	return slices.ContainsFunc(meta.Keys(), func(k toml.Key) bool { return secrets[k.String()] })
}
