package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"strings"
)

const archiveName = "converse.zip"

func main() {
	log.SetFlags(0)
	check := flag.Bool("check", false, "only compare "+archiveName+" with the installed package")
	flag.Parse()
	installed := os.DirFS("node_modules/converse.js")
	do := write
	if *check {
		do = compare
	}
	if err := do(archiveName, installed); err != nil {
		log.Fatal(err)
	}
}

// write makes the archive.
func write(name string, from fs.FS) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	err = eachServed(from, func(name string, text []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	})
	if err == nil {
		err = z.Close()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// compare returns an error unless the archive has exactly the served files of the package.
func compare(name string, with fs.FS) error {
	z, err := zip.OpenReader(name)
	if err != nil {
		return err
	}
	defer z.Close()
	same := 0
	err = eachServed(with, func(file string, text []byte) error {
		got, err := fs.ReadFile(z, file)
		if err != nil || !bytes.Equal(got, text) {
			return fmt.Errorf("%s: %s is not that of the package: run go generate ./core/web/chat", name, file)
		}
		same++
		return nil
	})
	if err == nil && same != len(z.File) {
		err = fmt.Errorf("%s has %d files, the package %d: run go generate ./core/web/chat", name, len(z.File), same)
	}
	return err
}

// eachServed calls f for the files of the package that browsers ask for.
func eachServed(from fs.FS, f func(name string, text []byte) error) error {
	return fs.WalkDir(from, "dist", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !served(p) {
			return err
		}
		text, err := fs.ReadFile(from, p)
		if err != nil {
			return err
		}
		return f(strings.TrimPrefix(p, "dist/"), text)
	})
}

// served reports whether browsers ask for a file.
func served(name string) bool {
	switch path.Base(name) {
	case "converse.js", "converse.css", "website.css", "website.min.css", "README", "manifest.json":
		return false
	}
	return path.Ext(name) != ".map"
}
