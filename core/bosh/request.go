package bosh

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Namespaces of bodies and of what XMPP adds to them (XEP-0206 §10).
const (
	NS    = "http://jabber.org/protocol/httpbind"
	nsXMP = "urn:xmpp:xbosh"
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
		Terminate: it.Attr("type") == "terminate", Restart: isTrue(it.AttrNS(nsXMP, "restart")), sum: sha256.Sum256(body),
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

// SessionID returns the identifier of the session in the start tag of a body whose beginning this is, "" if there is none. It is for the
// decision how much of the body is read: Parse decides what it says.
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

// split returns the elements of well-formed content, each with the declarations of the prefixes that it uses.
func split(content []byte, prefixes []stream.Prefix) (list [][]byte, err error) {
	for len(content) > 0 {
		if content = bytes.TrimLeft(content, " \t\r\n"); len(content) == 0 {
			break
		}
		if content[0] != '<' || bytes.HasPrefix(content, []byte("<![CDATA[")) { // XEP-0124 §6
			return nil, errNoBody
		}
		n := elementEnd(content)
		list = append(list, declare(content[:n:n], prefixes))
		content = content[n:]
	}
	return list, nil
}

// elementEnd returns where the element ends that begins well-formed content.
func elementEnd(b []byte) int {
	depth := 0
	for at := 0; at < len(b); {
		next := bytes.IndexByte(b[at:], '<')
		if next < 0 {
			break
		}
		at += next
		if bytes.HasPrefix(b[at:], []byte("<![CDATA[")) {
			end := bytes.Index(b[at:], []byte("]]>"))
			if end < 0 {
				break
			}
			at += end + len("]]>")
			continue
		}
		end := tagEnd(b[at:])
		switch tag := b[at : at+end]; {
		case tag[1] == '/':
			depth--
		case tag[len(tag)-2] != '/':
			depth++
		}
		if at += end; depth == 0 {
			return at
		}
	}
	return len(b)
}

// tagEnd returns the length of the tag that begins b, whose attributes may contain '>'.
func tagEnd(b []byte) int {
	var quote byte
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(b)
}

// declare adds declarations that the element has from the body around it.
func declare(element []byte, prefixes []stream.Prefix) []byte {
	for _, p := range prefixes {
		tag := element[:tagEnd(element)]
		if !bytes.Contains(element, []byte(p.Prefix+":")) || bytes.Contains(tag, []byte(" xmlns:"+p.Prefix+"=")) {
			continue
		}
		name := 1 + bytes.IndexAny(element[1:], " \t\r\n/>")
		out := append(make([]byte, 0, len(element)+len(p.Prefix)+len(p.Space)+16), element[:name]...)
		out = append(out, " xmlns:"+p.Prefix+"='"...)
		out = append(stanza.AppendEscaped(out, p.Space), '\'')
		element = append(out, element[name:]...)
	}
	return element
}
