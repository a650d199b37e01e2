package stream

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// checkStrict checks the rules of namespaces that expat enforces and encoding/xml does not: prefixes are declared,
// names have at most one colon, an end tag has the prefix of its start tag, attributes are unique.
func checkStrict(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	scopes := []map[string]string{{"xml": stanza.NSXML, "xmlns": "http://www.w3.org/2000/xmlns/", "": ""}}
	var names []xml.Name
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			if len(names) != 0 {
				t.Fatalf("ends within %v\n%q", names, text)
			}
			return
		}
		if err != nil {
			t.Fatalf("encoding/xml: %v\n%q", err, text)
		}
		switch x := token.(type) {
		case xml.StartElement:
			scopes = append(scopes, declared(t, scopes[len(scopes)-1], x.Attr, text))
			names = append(names, x.Name)
			checkNames(t, scopes[len(scopes)-1], x, text)
		case xml.EndElement:
			if len(names) == 0 || names[len(names)-1] != x.Name {
				t.Fatalf("%v ends %v\n%q", x.Name, names, text)
			}
			names, scopes = names[:len(names)-1], scopes[:len(scopes)-1]
		case xml.Comment, xml.Directive:
			t.Fatalf("%T\n%q", x, text)
		}
	}
}

// declared returns the scope within a start tag.
func declared(t *testing.T, outer map[string]string, attrs []xml.Attr, text string) map[string]string {
	t.Helper()
	scope := outer
	for _, a := range attrs {
		prefix := a.Name.Local
		if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
			continue
		}
		if a.Name.Space == "" {
			prefix = ""
		}
		switch reserved := a.Value == stanza.NSXML || a.Value == "http://www.w3.org/2000/xmlns/"; {
		case prefix == "xmlns", prefix != "" && a.Value == "", (prefix == "xml") != (a.Value == stanza.NSXML), reserved && prefix != "xml":
			t.Fatalf("%q is declared as %q\n%q", prefix, a.Value, text)
		}
		inner := make(map[string]string, len(scope)+1)
		for k, v := range scope {
			inner[k] = v
		}
		inner[prefix] = a.Value
		scope = inner
	}
	return scope
}

func checkNames(t *testing.T, scope map[string]string, x xml.StartElement, text string) {
	t.Helper()
	if _, ok := scope[x.Name.Space]; !ok || strings.Contains(x.Name.Local, ":") {
		t.Fatalf("element %v\n%q", x.Name, text)
	}
	seen := map[xml.Name]bool{}
	for _, a := range x.Attr {
		name := a.Name
		if name.Space != "" {
			uri, ok := scope[name.Space]
			if !ok {
				t.Fatalf("attribute %v\n%q", name, text)
			}
			name.Space = uri
		}
		if seen[name] || strings.Contains(name.Local, ":") {
			t.Fatalf("attribute %v\n%q", name, text)
		}
		seen[name] = true
	}
}

// kept returns the corpus that fuzzing has collected.
func corpus(t *testing.T, target string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			quoted, ok := strings.CutPrefix(strings.TrimSpace(line), "string(")
			if !ok {
				continue
			}
			s, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			list = append(list, s)
		}
	}
	return list
}
