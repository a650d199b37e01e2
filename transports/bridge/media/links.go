package media

import (
	"crypto/sha256"
	"encoding/base32"
	"net/url"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Path is where the files are on the HTTP server.
const Path = "/media/"

// idBytes is the length of what makes an address unguessable.
const idBytes = 20

// maxRef is the longest reference that is kept, in bytes.
const maxRef = 1000

// Signer signs a text in a way that nobody else can.
type Signer interface{ Sign(text string) string }

// Links makes addresses of files. A nil *Links leaves files as they are.
type Links struct {
	base   string // without a slash at the end
	signer Signer
	size   int64
}

// NewLinks makes the addresses of one gateway, at the public address of the HTTP server. Files of more than size bytes get none.
func NewLinks(base string, signer Signer, size int64) *Links {
	return &Links{strings.TrimRight(base, "/"), signer, size}
}

// Link gives those files of a message addresses here that its network can be asked for. The caller keeps the rows.
func (l *Links) Link(room int64, message transports.MessageID, files []transports.File) ([]transports.File, []tables.Media) {
	if l == nil || len(files) == 0 {
		return files, nil
	}
	linked := make([]transports.File, len(files))
	var rows []tables.Media
	for i, f := range files {
		row := tables.Media{Room: room, Net: message, Ref: f.Ref, Name: convert.FileName(f.Name), Type: convert.CutBytes(f.MIME, convert.MaxName), Size: f.Size}
		if i < convert.MaxFiles && l.address(&row, "file "+f.ID) {
			f.URL = l.url(row)
			rows = append(rows, row)
		}
		if t := f.Thumb; t != nil && t.Ref != "" {
			small := tables.Media{Room: room, Net: message, Ref: t.Ref, Name: "thumbnail", Type: convert.CutBytes(t.MIME, convert.MaxName)}
			shown := *t
			if i < convert.MaxFiles && l.address(&small, "thumbnail "+f.ID) {
				shown.URL = l.url(small)
				rows = append(rows, small)
			}
			f.Thumb = &shown
		}
		linked[i] = f
	}
	return linked, rows
}

// address sets the id of a row; false for a file that cannot be served.
func (l *Links) address(m *tables.Media, what string) bool {
	if m.Ref == "" || len(m.Ref) > maxRef || m.Size < 0 || m.Size > l.size {
		return false
	}
	if m.Name == "" {
		m.Name = "file"
	}
	signed := l.signer.Sign(strings.Join([]string{"media", strconv.FormatInt(m.Room, 10), string(m.Net), what, m.Ref, m.Name}, "\x00"))
	sum := sha256.Sum256([]byte(signed))
	m.ID = strings.ToLower(base32.StdEncoding.EncodeToString(sum[:idBytes]))
	return true
}

func (l *Links) url(m tables.Media) string {
	return l.base + Path + m.ID + "/" + url.PathEscape(m.Name)
}

// ID is the id of a file whose address is one of these; "" for any other address.
func (l *Links) ID(address string) string {
	if l == nil {
		return ""
	}
	rest, ours := strings.CutPrefix(address, l.base+Path)
	id, _, named := strings.Cut(rest, "/")
	if !ours || !named {
		return ""
	}
	return id
}
