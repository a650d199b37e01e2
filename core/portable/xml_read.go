package portable

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of the format and of what is in it.
const (
	NS        = "urn:xmpp:pie:0"
	nsKeys    = "urn:xmpp:pie:0#scram"
	nsArchive = "urn:xmpp:pie:0#mam"
	nsInclude = "http://www.w3.org/2001/XInclude"
	nsVCard   = "vcard-temp"
	nsRoster  = "jabber:iq:roster"
	nsPrivate = "jabber:iq:private"
	nsPrivacy = "jabber:iq:privacy"
	nsForward = "urn:xmpp:forward:0"
	nsDelay   = "urn:xmpp:delay"
)

// Limits of what is read.
const (
	maxElement = 16 << 20 // bytes of one child of a user, such as a roster
	maxText    = 2 << 20  // bytes of one text, or of the attributes of one element: the parser holds it as a whole
	maxLine    = 4 << 20  // bytes of one line of JSON, in which characters of XML are six
	maxDepth   = 64
)

// ErrNotXML means that a file has no root element of the format.
var ErrNotXML = errors.New("no element server-data of " + NS)

// ReadXML reads the file of a file system, and the files that it includes (XEP-0227 §4, §5). Nothing outside of the file
// system is read.
func ReadXML(files fs.FS, name string) func(yield func(Record, error) bool) {
	return func(yield func(Record, error) bool) {
		r := &xmlReader{files: files, yield: yield}
		if err := r.file(name, r.root); err != nil && !errors.Is(err, errStopped) {
			yield(Record{}, err)
		}
	}
}

var errStopped = errors.New("no more records are wanted")

// xmlReader passes the records of files to yield.
type xmlReader struct {
	files   fs.FS
	yield   func(Record, error) bool
	host    string
	account jid.JID
}

// xmlFile is one file that is being read.
type xmlFile struct {
	*xml.Decoder
	name  string
	meter *meter
}

// meter is a reader of which only so much is read for one token.
type meter struct {
	in   io.Reader
	left int
}

var errLongText = fmt.Errorf("a text has more than %d bytes", maxText)

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLongText
	}
	n, err := m.in.Read(p)
	m.left -= n
	return n, err
}

// file opens a file and calls read with its root element. Files cannot include each other without end: each one is read as
// what is one level below the element that includes it, and in the data of an account nothing is included.
func (r *xmlReader) file(name string, read func(*xmlFile, xml.StartElement) error) error {
	in, err := r.files.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	limited := &meter{in: in, left: maxText}
	f := &xmlFile{Decoder: xml.NewDecoder(limited), name: name, meter: limited}
	for {
		t, err := f.next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("read %s: %w", name, ErrNotXML)
		}
		if err != nil {
			return r.wrap(f, err)
		}
		if start, ok := t.(xml.StartElement); ok {
			return r.wrap(f, read(f, start))
		}
	}
}

// wrap adds the file and the line to an error.
func (r *xmlReader) wrap(f *xmlFile, err error) error {
	if err == nil || errors.Is(err, errStopped) {
		return err
	}
	line, _ := f.InputPos()
	return fmt.Errorf("read %s, line %d: %w", f.name, line, err)
}

// next returns the next token. Document types and processing instructions are refused: an entity could expand without end
// (CVE-2022-0217).
func (f *xmlFile) next() (xml.Token, error) {
	f.meter.left = maxText
	t, err := f.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case xml.Directive:
		return nil, errors.New("a document type is not allowed")
	case xml.ProcInst:
		if t.Target != "xml" {
			return nil, errors.New("a processing instruction is not allowed")
		}
	}
	return t, nil
}

// children calls each for the elements in the present one.
func (f *xmlFile) children(each func(xml.StartElement) error) error {
	for {
		t, err := f.next()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := each(t); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

func is(e xml.StartElement, space, local string) bool {
	return e.Name.Space == space && e.Name.Local == local
}

func attr(e xml.StartElement, local string) string {
	at := slices.IndexFunc(e.Attr, func(a xml.Attr) bool { return a.Name.Space == "" && a.Name.Local == local })
	if at < 0 {
		return ""
	}
	return e.Attr[at].Value
}

// root reads the main file.
func (r *xmlReader) root(f *xmlFile, e xml.StartElement) error {
	if !is(e, NS, "server-data") {
		return ErrNotXML
	}
	return f.children(func(e xml.StartElement) error { return r.include(f, e, r.hostElement) })
}

// hostElement reads a host (XEP-0227 §4.1).
func (r *xmlReader) hostElement(f *xmlFile, e xml.StartElement) error {
	if !is(e, NS, "host") {
		return f.skip()
	}
	r.host = attr(e, "jid")
	return f.children(func(e xml.StartElement) error { return r.include(f, e, r.userElement) })
}

// userElement reads an account (XEP-0227 §4.2).
func (r *xmlReader) userElement(f *xmlFile, e xml.StartElement) error {
	if !is(e, NS, "user") {
		return f.skip()
	}
	account, err := jid.New(attr(e, "name"), r.host, "")
	if err != nil || account.Local() == "" {
		return fmt.Errorf("%q at %q is not an address", attr(e, "name"), r.host)
	}
	r.account = account
	if err := r.record(Record{Made: &Made{Password: attr(e, "password")}}); err != nil {
		return err
	}
	return f.children(func(e xml.StartElement) error { return r.include(f, e, r.userData) })
}

// include reads an element, or the file that it includes (XEP-0227 §5).
func (r *xmlReader) include(f *xmlFile, e xml.StartElement, read func(*xmlFile, xml.StartElement) error) error {
	if !is(e, nsInclude, "include") {
		return read(f, e)
	}
	href := attr(e, "href")
	if href == "" || strings.Contains(href, ":") || attr(e, "parse") != "" || attr(e, "xpointer") != "" {
		return fmt.Errorf("files cannot be included by %q", href)
	}
	name := path.Join(path.Dir(f.name), href)
	if !fs.ValidPath(name) {
		return fmt.Errorf("%q is outside of the directory of the first file", href)
	}
	if err := f.skip(); err != nil {
		return err
	}
	return r.file(name, read)
}

// record passes a record of the present account on.
func (r *xmlReader) record(rec Record) error {
	rec.Account = r.account
	if !r.yield(rec, nil) {
		return errStopped
	}
	return nil
}

// skip reads to the end of the present element.
func (f *xmlFile) skip() error {
	for depth := 1; depth > 0; {
		t, err := f.next()
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// element reads a whole element, of bounded size. It is written and parsed again, so that names and characters are checked
// as those of every other stanza.
func (f *xmlFile) element(start xml.StartElement) (*stanza.Element, error) {
	root := newElement(start)
	stack := []*stanza.Element{root}
	begin := f.InputOffset()
	for len(stack) > 0 {
		t, err := f.next()
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			child := newElement(t)
			top.Add(child)
			stack = append(stack, child)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.AddText(string(t))
		}
		if f.InputOffset()-begin > maxElement || len(stack) > maxDepth {
			return nil, fmt.Errorf("the element %s is larger than %d bytes, or deeper than %d", start.Name.Local, maxElement, maxDepth)
		}
	}
	checked, err := stanza.ParseElement(root.String(), "")
	if err != nil {
		return nil, fmt.Errorf("element %s: %w", start.Name.Local, err)
	}
	return checked, nil
}

func newElement(start xml.StartElement) *stanza.Element {
	e := stanza.NewElement(start.Name.Space, start.Name.Local)
	for _, a := range start.Attr {
		switch {
		case a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns":
		default:
			e.Attrs = append(e.Attrs, stanza.Attr{Space: a.Name.Space, Local: a.Name.Local, Value: a.Value})
		}
	}
	return e
}
