package main

import (
	"archive/zip"
	"compress/flate"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"strings"
)

func main() {
	log.SetFlags(0)
	if err := write("converse.zip", os.DirFS("node_modules/converse.js")); err != nil {
		log.Fatal(err)
	}
}

// write makes the archive. The same files give the same bytes.
func write(name string, from fs.FS) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	err = fs.WalkDir(from, "dist", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !served(p) {
			return err
		}
		text, err := fs.ReadFile(from, p)
		if err != nil {
			return err
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: strings.TrimPrefix(p, "dist/"), Method: zip.Deflate})
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

// served reports whether browsers ask for a file.
func served(name string) bool {
	switch path.Base(name) {
	case "converse.js", "converse.css", "website.css", "website.min.css", "README", "manifest.json":
		return false
	}
	return path.Ext(name) != ".map"
}
