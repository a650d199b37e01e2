package stream

import (
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream/version"
)

// Header is a stream header, of either side and of any kind of stream. The addresses
// are not parsed.
type Header struct {
	Content  string // the content namespace; unused on a framed stream
	To, From string
	ID       string
	Lang     string
	Version  string   // as received; "" for a peer older than RFC 3920
	Prefixes []Prefix // declared besides the content namespace and that of the stream
}

// Prefix is a namespace declaration.
type Prefix struct{ Prefix, Space string }

// Answer returns the version to put into the header that answers h: the lower of both, and
// "" if h has none. It returns false if there is no common major version.
func (h *Header) Answer() (string, bool) { return version.Answer(h.Version) }

// Append appends the XML declaration and the start tag of the stream to dst.
func (h *Header) Append(dst []byte) []byte {
	dst = append(dst, "<?xml version='1.0'?><stream:stream xmlns='"...)
	dst = append(dst, h.Content...)
	dst = append(dst, "' xmlns:stream='"+NSStream+"'"...)
	for _, p := range h.Prefixes {
		dst = append(dst, " xmlns:"...)
		dst = append(dst, p.Prefix...)
		dst = append(dst, '=', '\'')
		dst = stanza.AppendEscaped(dst, p.Space)
		dst = append(dst, '\'')
	}
	return append(h.appendAttrs(dst), '>')
}

// AppendFramed appends the header to dst as the frame that opens a framed stream (RFC 7395 §3.4).
func (h *Header) AppendFramed(dst []byte) []byte {
	dst = append(dst, "<open xmlns='"+NSFraming+"'"...)
	return append(h.appendAttrs(dst), '/', '>')
}

func (h *Header) appendAttrs(dst []byte) []byte {
	dst = stanza.AppendAttr(dst, "from", h.From)
	dst = stanza.AppendAttr(dst, "to", h.To)
	dst = stanza.AppendAttr(dst, "id", h.ID)
	dst = stanza.AppendAttr(dst, "version", h.Version)
	return stanza.AppendAttr(dst, "xml:lang", h.Lang)
}
