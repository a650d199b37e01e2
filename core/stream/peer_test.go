package stream

import (
	"encoding/base64"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// expat reads one document per line, in base64, and answers with a line each. A
// separator that URIs cannot contain is what receivers use (CVE-2022-25236).
const expat = `
import sys, base64
from xml.parsers import expat
for line in sys.stdin:
    p = expat.ParserCreate('utf-8', namespace_separator='\n')
    try:
        p.Parse(base64.b64decode(line), True)
        print('ok')
    except expat.ExpatError as e:
        print(e)
`

// TestPeerExpat checks that expat accepts all that the scanner accepts: the seeds, and random
// mutations of them. It needs python3.
func TestPeerExpat(t *testing.T) { // checklist 9
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("DRAGOMAN_REQUIRE_PEERS") != "" {
			t.Fatal("no python3")
		}
		t.Skip("no python3")
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	var docs []string
	seen := map[string]bool{}
	add := func(input string) {
		if d := accepted(fuzzHead + input); d != "" && !seen[d] {
			seen[d] = true
			docs = append(docs, d)
		}
	}
	for _, s := range seeds {
		add(s)
	}
	for _, s := range corpus(t, "FuzzScanner") {
		add(s)
	}
	for range 30_000 {
		add(mutate(r, seeds[r.IntN(len(seeds))]))
	}
	var in strings.Builder
	for _, d := range docs {
		in.WriteString(base64.StdEncoding.EncodeToString([]byte(d)) + "\n")
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", expat)
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	verdicts := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(verdicts) != len(docs) || len(docs) < 1000 {
		t.Fatalf("%d documents, %d verdicts", len(docs), len(verdicts))
	}
	for i, v := range verdicts {
		if v != "ok" {
			t.Errorf("seed %d: expat refuses what was accepted: %s\n%q", seed, v, docs[i])
		}
	}
}

// pieces are what mutate inserts into documents.
var pieces = []string{
	"<", ">", "/", "/>", "</", "'", "\"", "=", " ", "\t", "\r\n", "&", ";", "&amp;", "&#x20;", "&#x10FFFF;", "&#xD7FF;", "]]>", "]]", "<![CDATA[", "x", ":", "a:b",
	"xmlns", "xmlns='u'", " xmlns:p='u'", " xmlns:q='u'", "p:", "q:", " p:a=''", " q:a=''", " a=''", " xml:lang='x'", "<p:x/>", "<x>", "</x>", "<?", "<!", "\x00", "\x7f", "\u0080", "\u00b7", "é", "\u0300",
	"\u0132", "\u2070", "\ufeff", "\ufffd", "\ufffe", "\U00010000", "\xff", "\xc3", "-", ".", "1", "_", " xmlns=''", " xmlns='jabber:client'", " xmlns='http://www.w3.org/XML/1998/namespace'", " xmlns:xml='http://www.w3.org/XML/1998/namespace'",
}

func mutate(r *rand.Rand, s string) string {
	for range 1 + r.IntN(3) {
		i := r.IntN(len(s) + 1)
		j := min(len(s), i+r.IntN(4))
		switch r.IntN(4) {
		case 0:
			s = s[:i] + s[j:]
		case 1:
			s = s[:i] + pieces[r.IntN(len(pieces))] + s[j:]
		case 2:
			o := seeds[r.IntN(len(seeds))]
			k := r.IntN(len(o) + 1)
			s = s[:i] + o[k:] + s[i:]
		default:
			s = s[:i] + pieces[r.IntN(len(pieces))] + s[i:]
		}
	}
	return s
}

// TestNamesAgree compares with encoding/xml which characters names may have.
func TestNamesAgree(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	all.WriteString(head)
	n := 0
	for c := rune(0x80); c < 0x11000; c++ {
		if c >= 0xD800 && c < 0xE000 {
			continue
		}
		for _, name := range []string{string(c), "x" + string(c)} {
			if end, _, err := qname([]byte(name+"/"), 0); err == nil && end == len(name) {
				all.WriteString("<" + name + "/>")
				n++
			}
		}
	}
	checkForeign(t, all.String()+"</stream:stream>")
	if n < 60_000 {
		t.Errorf("%d names only", n)
	}
	for _, name := range []string{"é", "Ω", "日", "한", "x\u0301", "x·"} {
		if _, err := NewScanner(strings.NewReader(head+"<"+name+"/>"), "jabber:client", Limits{}).second(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// second returns the item after the header.
func (s *Scanner) second() (*Item, error) {
	if _, err := s.Next(); err != nil {
		return nil, err
	}
	return s.Next()
}
