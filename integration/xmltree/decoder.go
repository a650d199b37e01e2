package xmltree

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrClosed is returned by Decoder.Element when the peer closed the stream properly.
var ErrClosed = errors.New("stream closed by peer")

// maxDepth bounds what is read; no server nests deeper.
const maxDepth = 256

// Decoder reads one XML stream: its header with Header, then Element after Element.
// It resolves namespaces itself and refuses what encoding/xml lets pass: undeclared
// prefixes and duplicate attributes.
type Decoder struct {
	tokens *xml.Decoder
	scope  []map[string]string // prefix → namespace, innermost last
	names  []xml.Name          // open elements as written
}

// NewDecoder reads from r. If r is an io.ByteReader nothing is read beyond the token
// that was asked for.
func NewDecoder(r io.Reader) *Decoder {
	return &Decoder{tokens: xml.NewDecoder(r), scope: []map[string]string{{"xml": XMLSpace}}}
}

// Header reads up to and including the stream's start tag.
func (d *Decoder) Header() (*Element, error) {
	for {
		token, err := d.tokens.RawToken()
		if err != nil {
			return nil, fmt.Errorf("read stream header: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			return d.open(t)
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, fmt.Errorf("processing instruction %q before the stream header", t.Target)
			}
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				return nil, fmt.Errorf("text %q before the stream header", t)
			}
		default:
			return nil, fmt.Errorf("unexpected %T before the stream header", token)
		}
	}
}

// Element reads the next whole first-level element. White space between elements is
// skipped. It returns ErrClosed after the stream's end tag.
func (d *Decoder) Element() (*Element, error) {
	for {
		token, err := d.tokens.RawToken()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			e, err := d.open(t)
			if err != nil {
				return nil, err
			}
			return e, d.fill(e)
		case xml.EndElement:
			if err := d.close(t); err != nil {
				return nil, err
			}
			return nil, ErrClosed
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				return nil, fmt.Errorf("text %q between stanzas", t)
			}
		default:
			return nil, fmt.Errorf("unexpected %T in the stream", token)
		}
	}
}

// fill reads the content of e up to its end tag.
func (d *Decoder) fill(e *Element) error {
	if len(d.names) > maxDepth {
		return fmt.Errorf("more than %d elements deep", maxDepth)
	}
	var text strings.Builder
	for {
		token, err := d.tokens.RawToken()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			c, err := d.open(t)
			if err != nil {
				return err
			}
			if err := d.fill(c); err != nil {
				return err
			}
			e.Children = append(e.Children, c)
		case xml.EndElement:
			e.Text = text.String()
			if len(e.Children) > 0 && strings.TrimSpace(e.Text) == "" {
				e.Text = ""
			}
			return d.close(t)
		case xml.CharData:
			text.Write(t)
		default:
			return fmt.Errorf("unexpected %T in <%s>", token, e.Name.Local)
		}
	}
}

// open resolves a start tag and pushes its scope.
func (d *Decoder) open(t xml.StartElement) (*Element, error) {
	scope := map[string]string{}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			scope[""] = a.Value
		case a.Name.Space == "xmlns":
			scope[a.Name.Local] = a.Value
		}
	}
	d.scope = append(d.scope, scope)
	d.names = append(d.names, t.Name)

	e := &Element{Attrs: map[xml.Name]string{}}
	space, ok := d.resolve(t.Name.Space)
	if !ok {
		return nil, fmt.Errorf("prefix %q of <%s> is not declared", t.Name.Space, t.Name.Local)
	}
	e.Name = xml.Name{Space: space, Local: t.Name.Local}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		name := xml.Name{Local: a.Name.Local}
		if a.Name.Space != "" {
			if name.Space, ok = d.resolve(a.Name.Space); !ok {
				return nil, fmt.Errorf("prefix %q of attribute %s in <%s> is not declared", a.Name.Space, a.Name.Local, t.Name.Local)
			}
		}
		if _, twice := e.Attrs[name]; twice {
			return nil, fmt.Errorf("attribute %s twice in <%s>", shortName(name), t.Name.Local)
		}
		e.Attrs[name] = a.Value
	}
	return e, nil
}

func (d *Decoder) close(t xml.EndElement) error {
	if len(d.names) == 0 || d.names[len(d.names)-1] != t.Name {
		return fmt.Errorf("end tag </%s> does not match", t.Name.Local)
	}
	d.names = d.names[:len(d.names)-1]
	d.scope = d.scope[:len(d.scope)-1]
	return nil
}

func (d *Decoder) resolve(prefix string) (string, bool) {
	for i := len(d.scope) - 1; i >= 0; i-- {
		if space, ok := d.scope[i][prefix]; ok {
			return space, space != "" || prefix == ""
		}
	}
	return "", prefix == ""
}

// ParseFragment reads a row of elements as they would stand in a client's stream: the
// default namespace is jabber:client, and the prefixes stream and match are bound.
func ParseFragment(text string) ([]*Element, error) {
	d := NewDecoder(strings.NewReader(`<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" xmlns:match="` +
		MatchSpace + `">` + text + `</stream:stream>`))
	if _, err := d.Header(); err != nil {
		return nil, err
	}
	var row []*Element
	for {
		e, err := d.Element()
		switch {
		case errors.Is(err, ErrClosed):
			return row, nil
		case err != nil:
			return nil, err
		}
		row = append(row, e)
	}
}
