package bosh

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Namespaces of bodies and of what XMPP adds to them (XEP-0206 §10).
const (
	NS      = "http://jabber.org/protocol/httpbind"
	nsXBOSH = "urn:xmpp:xbosh"
)

// Limits of a body besides its bytes. Those of a stanza are checked by the stream.
const (
	maxDepth = 256
	maxAttrs = 256
	maxRID   = 1<<53 - 1 // XEP-0124 §14.1
	maxType  = 100       // bytes of the media type that a client asks for
)

// Errors of Parse. Their texts are not for the client.
var (
	errNoBody = errors.New("not one body in the namespace of BOSH")
	errNumber = errors.New("an attribute is not the number that it must be")
)

// Request is the body of a request.
type Request struct {
	RID       int64
	SID       string // "" in the request that asks for a session
	To, Lang  string // of the stream
	Creation  Creation
	Keys      Keys
	Pause     int  // seconds; -1: no pause
	Terminate bool // the client ends the session
	Restart   bool // the client begins a stream again (XEP-0206 §5)

	payloads [][]byte
	sum      [sha256.Size]byte
}

// Creation is what the request that asks for a session says about it (XEP-0124 §7.1).
type Creation struct {
	Version     string
	Wait, Hold  int // -1: not said
	ContentType string
}

// Keys protect a session that others can read (XEP-0124 §15).
type Keys struct{ Key, New string }

// Parse reads the body of a request, which it keeps.
func Parse(raw []byte) (*Request, error) {
	body := bytes.TrimLeft(raw, " \t\r\n")
	if rest, ok := bytes.CutPrefix(body, []byte("<?xml ")); ok {
		_, rest, _ = bytes.Cut(rest, []byte("?>"))
		body = bytes.TrimLeft(rest, " \t\r\n")
	}
	s := stream.NewFramed(stanza.NSClient, stream.Limits{Bytes: len(body) + 1, Elements: len(body) + 1, Depth: maxDepth, Attrs: maxAttrs})
	it, err := s.Frame(body)
	if err != nil {
		return nil, fmt.Errorf("parse the body: %w", err)
	}
	defer s.Idle()
	if !it.Is(NS, "body") {
		return nil, errNoBody
	}
	r := &Request{
		SID: it.Attr("sid"), To: it.Attr("to"), Lang: it.Lang(),
		Creation:  Creation{Version: it.Attr("ver"), ContentType: contentType(it.Attr("content"))},
		Keys:      Keys{it.Attr("key"), it.Attr("newkey")},
		Terminate: it.Attr("type") == "terminate", Restart: isTrue(it.AttrNS(nsXBOSH, "restart")), sum: sha256.Sum256(body),
	}
	r.RID, err = strconv.ParseInt(it.Attr("rid"), 10, 64)
	if err != nil || r.RID < 1 || r.RID > maxRID {
		return nil, fmt.Errorf("rid: %w", errNumber)
	}
	for name, at := range map[string]*int{"wait": &r.Creation.Wait, "hold": &r.Creation.Hold, "pause": &r.Pause} {
		if *at, err = number(it.Attr(name)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if r.payloads, err = split(it.Inner, it.Prefixes()); err != nil {
		return nil, err
	}
	return r, nil
}

// number reads an attribute that may be missing: -1 then.
func number(text string) (int, error) {
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseUint(text, 10, 16) // XEP-0124 §22
	if err != nil {
		return 0, errNumber
	}
	return int(n), nil
}

// isTrue reads a boolean of XML Schema.
func isTrue(text string) bool { return text == "true" || text == "1" }

// contentType returns the media type that answers must have because the client cannot read others (XEP-0124 §7.1), "" for the usual one.
func contentType(text string) string {
	if _, _, err := mime.ParseMediaType(text); err != nil || len(text) > maxType || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return text
}

// SessionID returns the identifier of the session in the start tag of a body whose beginning this is, "" if there is none. It decides
// only how much of the body is read; Parse reads what the body says.
func SessionID(beginning []byte) string {
	tag, _, _ := bytes.Cut(beginning, []byte(">"))
	for _, quote := range []string{"'", `"`} {
		if _, rest, ok := bytes.Cut(tag, []byte(" sid="+quote)); ok {
			if id, _, ok := bytes.Cut(rest, []byte(quote)); ok {
				return string(id)
			}
		}
	}
	return ""
}

// split returns the elements of well-formed content, each with the declarations of the prefixes that it uses from the body around it.
func split(content []byte, prefixes []stream.Prefix) (list [][]byte, err error) {
	d := xml.NewDecoder(bytes.NewReader(content))
	var start xml.StartElement // of the element that began at from
	depth, from := 0, 0
	for {
		before := int(d.InputOffset())
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil { // not after the stream has accepted the whole
			return nil, fmt.Errorf("parse the body: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				start, from = t, before
			}
			depth++
		case xml.EndElement:
			if depth--; depth == 0 {
				end := int(d.InputOffset())
				list = append(list, declare(content[from:end:end], start, prefixes))
			}
		case xml.CharData:
			if depth == 0 && (content[before] == '<' || len(bytes.TrimSpace(t)) > 0) { // XEP-0124 §6; a CDATA section begins with '<'
				return nil, errNoBody
			}
		}
	}
}

// declare adds the declarations of prefixes that the element has from the body around it.
func declare(element []byte, start xml.StartElement, prefixes []stream.Prefix) []byte {
	var added []byte
	for _, p := range prefixes {
		own := slices.ContainsFunc(start.Attr, func(a xml.Attr) bool { return a.Name.Space == "xmlns" && a.Name.Local == p.Prefix })
		if !own && bytes.Contains(element, []byte(p.Prefix+":")) {
			added = stanza.AppendAttr(added, "xmlns:"+p.Prefix, p.Space)
		}
	}
	if added == nil {
		return element
	}
	name := len("<") + len(start.Name.Local)
	if start.Name.Space != "" { // RawToken gives the prefix
		name += len(start.Name.Space) + len(":")
	}
	return slices.Concat(element[:name], added, element[name:])
}
