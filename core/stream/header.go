package stream

import (
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
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

// Version is a version of XMPP. RFC 6120 §4.7.5.
type Version struct{ Major, Minor int }

// XMPP10 is the version that RFC 6120 specifies.
var XMPP10 = Version{1, 0}

// ParsedVersion is Version as numbers; 0.9 if there is none, false if it is malformed.
func (h *Header) ParsedVersion() (Version, bool) {
	if h.Version == "" {
		return Version{0, 9}, true // RFC 6120 §4.7.5 rule 4
	}
	major, minor, ok := strings.Cut(h.Version, ".")
	var v Version
	var okMajor, okMinor bool
	v.Major, okMajor = number(major)
	v.Minor, okMinor = number(minor)
	return v, ok && okMajor && okMinor
}

func number(s string) (int, bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s) // ignores leading zeros (RFC 6120 §4.7.5)
	return n, err == nil
}

// Less reports whether v is lower than o; both parts are compared as numbers.
func (v Version) Less(o Version) bool {
	return v.Major < o.Major || v.Major == o.Major && v.Minor < o.Minor
}

func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }

// Answer returns the version to put into the header that answers h: the lower of both, and
// "" if h has none. It returns false if there is no common major version.
func (h *Header) Answer() (string, bool) {
	v, ok := h.ParsedVersion()
	switch {
	case !ok:
		return XMPP10.String(), false
	case h.Version == "":
		return "", false
	case v.Less(XMPP10):
		return v.String(), false
	}
	return XMPP10.String(), true
}

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
