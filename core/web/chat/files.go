package chat

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	_ "embed" // of the files
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed converse.zip
var archive []byte

// forEver is for files whose address changes with their content.
const forEver = "public, max-age=31536000, immutable"

// gzipHeader is the beginning of a file in gzip format without a name and a time (RFC 1952 §2.3).
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255}

// files serves the files of the archive.
type files struct {
	byName  map[string]*zip.File
	version string // of all of them
}

func openFiles() (*files, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("open the files of the web client: %w", err)
	}
	sum := sha256.Sum256(archive)
	f := &files{byName: map[string]*zip.File{}, version: hex.EncodeToString(sum[:8])}
	for _, file := range z.File {
		f.byName[file.Name] = file
	}
	return f, nil
}

// prefix is the path below which the files are. It changes with them, so that browsers may keep them.
func (f *files) prefix() string { return filesPath + f.version + "/" }

// ServeHTTP sends the file that the path names.
func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.send(w, r, r.PathValue("name"), forEver)
}

// send sends a file as it is compressed in the archive: deflated data becomes gzip by a header and a trailer.
func (f *files) send(w http.ResponseWriter, r *http.Request, name, keep string) {
	file := f.byName[name]
	if file == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(file.Name))
	h.Set("Cache-Control", keep)
	h.Set("Vary", "Accept-Encoding")
	if file.Method != zip.Deflate || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		content, err := file.Open()
		if err != nil {
			http.Error(w, "not readable", http.StatusInternalServerError)
			return
		}
		h.Set("Content-Length", strconv.FormatUint(file.UncompressedSize64, 10))
		_, _ = io.Copy(w, content)
		_ = content.Close()
		return
	}
	raw, err := file.OpenRaw()
	if err != nil {
		http.Error(w, "not readable", http.StatusInternalServerError)
		return
	}
	trailer := binary.LittleEndian.AppendUint32(nil, file.CRC32)
	trailer = binary.LittleEndian.AppendUint32(trailer, uint32(file.UncompressedSize64))
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(len(gzipHeader)+int(file.CompressedSize64)+len(trailer)))
	_, _ = io.Copy(w, io.MultiReader(bytes.NewReader(gzipHeader), raw, bytes.NewReader(trailer)))
}

// contentType does not depend on what the machine knows about file names.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return "application/json"
	case ".wasm":
		return "application/wasm"
	case ".ttf":
		return "font/ttf"
	case ".mp3":
		return "audio/mpeg"
	case ".ogg":
		return "audio/ogg"
	case ".ico":
		return "image/x-icon"
	}
	return mime.TypeByExtension(path.Ext(name)) // of pictures, which it has built in
}
