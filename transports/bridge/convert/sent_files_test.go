package convert

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

func filesParser(most int) Parser {
	return Parser{MaxText: 10_000, Info: transports.Info{Name: "Net", Caps: transports.Caps{Limits: transports.Limits{
		MaxText: 2000, Files: transports.FileLimits{Count: most, Size: 1 << 20},
	}}}}
}

func described(url, name string) string {
	return "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>" + name + "</name><media-type>image/png</media-type><size>7</size>" +
		"<desc>What it shows</desc></file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='" + url + "'/></sources></file-sharing>"
}

// Files are recognised by what describes them, and nothing else that a person typed is left out.
func TestSentFiles(t *testing.T) {
	t.Parallel()
	const a, b = "https://e.org/a.png", "https://e.org/b%20b.png"
	oob := func(url string) string { return "<x xmlns='jabber:x:oob'><url>" + url + "</url></x>" }
	whole := "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>"
	for name, c := range map[string]struct {
		body, content string
		most          int
		text          string
		files         string
	}{
		"an address alone (XEP-0066)":        {a, oob(a), 10, "", "a.png"},
		"its name is decoded":                {b, oob(b), 10, "", "b b.png"},
		"a body beside it":                   {"Look", oob(a), 10, "Look", "a.png"},
		"a description (XEP-0447)":           {a, described(a, "x.png") + whole, 10, "", "x.png image/png 7 What it shows"},
		"both":                               {a, described(a, "x.png") + oob(a), 10, "", "x.png image/png 7 What it shows"},
		"several, with a caption":            {"Look\n" + a + "\n" + b, described(a, "x.png") + described(b, "y.png"), 10, "Look", "x.png image/png 7 What it shows, y.png image/png 7 What it shows"},
		"more than the network takes":        {"Look\n" + a + "\n" + b, described(a, "x.png") + described(b, "y.png"), 1, "Look\n" + b, "x.png image/png 7 What it shows"},
		"more, without their address":        {"Look", described(a, "x.png") + described(b, "y.png"), 1, "Look\n" + b, "x.png image/png 7 What it shows"},
		"an address within a line stays":     {"See " + a + " there", oob(a), 10, "See " + a + " there", "a.png"},
		"a path in a name":                   {a, described(a, "../../etc/passwd"), 10, "", ".._.._etc_passwd image/png 7 What it shows"},
		"an encrypted file (XEP-0454)":       {"aesgcm://e.org/a#00", oob("aesgcm://e.org/a#00"), 10, "aesgcm://e.org/a#00", ""},
		"a file of this machine":             {"file:///etc/passwd", oob("file:///etc/passwd"), 10, "file:///etc/passwd", ""},
		"a name and password in the address": {"https://u:p@e.org/x", oob("https://u:p@e.org/x"), 10, "https://u:p@e.org/x", ""},
		"no host":                            {"https:///x", oob("https:///x"), 10, "https:///x", ""},
		"an address without a description":   {a, "", 10, a, ""},
	} {
		st := &stanza.Stanza{Kind: stanza.Message, ID: "1", Payload: "<body>" + c.body + "</body>" + c.content}
		r, err := filesParser(c.most).Parse(st, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, f := range r.Files {
			got = append(got, strings.TrimSpace(strings.Join(strings.Fields(fmt.Sprint(f.Name, " ", f.MIME, " ", strings.TrimSuffix(fmt.Sprint(f.Size), "0"), " ", f.Alt)), " ")))
		}
		var text richtext.Text
		for _, p := range r.Parts {
			text = append(text, p...)
		}
		if strings.Join(got, ", ") != c.files || text.String() != c.text {
			t.Errorf("%s: %q with files %q", name, text.String(), got)
		}
	}
}

// A network that takes no files gets the addresses.
func TestSentFilesWithoutStorage(t *testing.T) {
	t.Parallel()
	p := filesParser(10)
	p.Info.Caps.Files = transports.FileLimits{}
	st := &stanza.Stanza{Kind: stanza.Message, Payload: "<body>https://e.org/a</body><x xmlns='jabber:x:oob'><url>https://e.org/a</url></x>"}
	if r, err := p.Parse(st, nil); err != nil || len(r.Files) != 0 || len(r.Parts) != 1 || r.Parts[0].String() != "https://e.org/a" {
		t.Errorf("%+v %v", r, err)
	}
}

// Files are not changed by a correction: those of the message are left out of its new text, and others are named there.
func TestCorrectedFiles(t *testing.T) {
	t.Parallel()
	const a, b = "https://e.org/a.png", "https://e.org/b.png"
	st := &stanza.Stanza{
		Kind: stanza.Message, Payload: "<body>Look\n" + a + "\n" + b + "</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/>" + described(a, "x.png") + described(b, "y.png"),
	}
	r, err := filesParser(10).Parse(st, nil)
	if err != nil {
		t.Fatal(err)
	}
	for had, want := range map[string]string{a + " " + b: "Look", a: "Look\n" + b, "": "Look\n" + a + "\n" + b} {
		var files SentFiles
		for _, u := range strings.Fields(had) {
			files = append(files, SentFile{URL: u, Name: "secret"})
		}
		if kept := string(files.Kept()); strings.Contains(kept, "secret") || (kept == "") != (had == "") {
			t.Errorf("%q is kept", kept)
		}
		fitted := filesParser(10).FitEdit(r.CorrectFiles(files))
		if got := fitted.Parts[0].String(); got != want || len(fitted.Files) != 0 {
			t.Errorf("of a message with %q: %q", had, got)
		}
	}
}

func TestMegabytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{10 << 20: "10 MiB", 1 << 30: "1024 MiB", 1000: "1000 bytes"} {
		if got := Megabytes(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
