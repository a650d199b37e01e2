package checklist

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

func TestNamespaces(t *testing.T) { // checklist 1
	h := sharedServer(t)
	for name, send := range map[string]string{
		"of the stream":        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/steams' to='" + servedHost + "' version='1.0'>",
		"none for the stream":  "<stream xmlns='jabber:client' to='" + servedHost + "' version='1.0'>",
		"of another link":      "<stream:stream xmlns='jabber:server' xmlns:stream='" + nsStream + "' to='" + servedHost + "' version='1.0'>",
		"of no content at all": "<stream:stream xmlns='urn:example:x' xmlns:stream='" + nsStream + "' to='" + servedHost + "' version='1.0'>",
	} {
		t.Run(name, func(t *testing.T) {
			w := h.dial(t)
			w.push(send)
			w.header()
			w.wantError("invalid-namespace")
		})
	}
}

func TestPrefixes(t *testing.T) { // checklist 2
	h := sharedServer(t)
	user := newAccount(t)
	// A client that has every namespace under a prefix of its own, but that of the stanzas,
	// which must have none (RFC 6120 §4.8.5).
	opening := "<s:stream xmlns:s='" + nsStream + "' xmlns='" + nsClient + "' to='" + servedHost + "' version='1.0'>"
	w := h.dial(t)
	w.send(opening)
	w.header()
	w.features()
	w.send("<q:starttls xmlns:q='" + nsTLS + "'/>")
	if e := w.element(); e.Name.Local != "proceed" {
		t.Fatalf("proceed expected, got %s", e)
	}
	w.handshake(h, h.TLS.Clone())
	w.send(opening)
	w.header()
	w.features()
	w.send("<q:auth xmlns:q='" + nsSASL + "' mechanism='PLAIN'>" + encode("\x00"+user+"\x00"+password) + "</q:auth>")
	if e := w.element(); e.Name.Local != "success" {
		t.Fatal(e)
	}
	w.again()
	w.send(strings.Replace(opening, " to=", " xmlns:h='urn:example:h' to=", 1))
	w.header()
	w.features()
	w.send("<iq type='set' id='b'><z:bind xmlns:z='" + nsBind + "'><z:resource>r</z:resource></z:bind></iq>")
	if e := w.element(); e.Attr("type") != "result" || e.Find("bind", "jid").Text != user+"@"+servedHost+"/r" {
		t.Fatal(e)
	}
	w.jid = user + "@" + servedHost + "/r"
	w.send("<message to='" + w.jid + "' id='m' xmlns:e='urn:example:e'><body>hello</body><e:x e:y='1'><y xmlns=''/></e:x></message>")
	match(t, w.element(), "<message from='"+w.jid+"' to='"+w.jid+"' id='m' xml:lang='{any?}'><body>hello</body>"+
		"<x xmlns='urn:example:e' xmlns:e='urn:example:e' e:y='1'><y xmlns=''/></x></message>")
	// What the header declares is declared again where it is used.
	other := h.session(t, newAccount(t), "")
	w.send("<message to='" + other.jid + "' h:z='1'><h:x h:y='2'/></message>")
	match(t, other.element(), "<message from='"+w.jid+"' to='"+other.jid+"' xml:lang='{any?}' xmlns:h='urn:example:h' h:z='1'><h:x h:y='2'/></message>")
	bad := h.session(t, newAccount(t), "")
	bad.push("<c:message xmlns:c='" + nsClient + "' to='" + w.jid + "'/>")
	bad.wantError("bad-namespace-prefix")
	w.nothing()
	// A prefix that the stream's header does not declare is none, whatever it is called.
	w.push("<stream:features/>")
	w.wantError("not-well-formed")
}

func TestHeaderBeforeError(t *testing.T) { // checklist 3
	h := sharedServer(t)
	for name, send := range map[string]string{
		"no stream":           "<presence xmlns='jabber:client'/>",
		"no XML":              "HELO there\r\n",
		"unknown host":        head("to='elsewhere.example' version='1.0'"),
		"no version":          head("to='" + servedHost + "'"),
		"document type":       "<!DOCTYPE x>",
		"attribute twice":     head("to='" + servedHost + "' to='" + servedHost + "' version='1.0'"),
		"namespaces together": "<stream:stream xmlns='urn:x' xmlns:stream='urn:y'>",
	} {
		t.Run(name, func(t *testing.T) {
			w := h.dial(t)
			w.push(send)
			if from := w.header().Attr("from"); from != servedHost {
				t.Errorf("header from %q", from)
			}
			w.streamError() // and the end tag
		})
	}
}

func TestAnsweringHeader(t *testing.T) { // checklist 4
	h := sharedServer(t)
	seen := map[string]bool{}
	check := func(e *xmltree.Element, from, to string) {
		t.Helper()
		id := e.Attr("id")
		if seen[id] || len(id) < 16 {
			t.Errorf("id %q", id)
		}
		seen[id] = true
		lang := e.Attrs[xml.Name{Space: xmltree.XMLSpace, Local: "lang"}]
		got, has := e.Attrs[xml.Name{Local: "to"}]
		if e.Attr("from") != from || e.Attr("version") != "1.0" || lang == "" || got != to || has != (to != "") {
			t.Errorf("header %s", e)
		}
	}
	for range 50 {
		w := h.dial(t)
		w.send(w.defaultHead())
		check(w.header(), servedHost, "")
	}
	w := h.dial(t)
	w.send(head("from='juliet@" + secondHost + "' to='" + secondHost + "' version='1.0'"))
	check(w.header(), secondHost, "juliet@"+secondHost)
	w.features()
	w.host = secondHost
	w.secure(h)
	w.send(w.defaultHead())
	check(w.header(), secondHost, "")
	w.features()
	w.send(plain("sam", password))
	w.element()
	w.again()
	w.send(w.defaultHead())
	check(w.header(), secondHost, "")
}

func TestVersions(t *testing.T) { // checklist 5
	h := sharedServer(t)
	for version, want := range map[string]string{
		"1.0": "1.0", "1.10": "1.0", "1.9": "1.0", "2.0": "1.0", "01.00": "1.0", "10.0": "1.0",
		"": "", "0.9": "", "0.10": "", "1": "", "one": "", "1.0.0": "", "-1.0": "", "1.": "",
	} {
		w := h.dial(t)
		attr := ""
		if version != "" {
			attr = "version='" + version + "'"
		}
		w.push(head("id='ours' to='" + servedHost + "' " + attr))
		e := w.header()
		if e.Attr("id") == "ours" {
			t.Error("the client's id is taken over")
		}
		if want == "" {
			w.wantError("unsupported-version")
			continue
		}
		if w.features(); e.Attr("version") != want {
			t.Errorf("version %s is answered with %s", version, e.Attr("version"))
		}
	}
}

func TestHosts(t *testing.T) { // checklist 6
	h := sharedServer(t)
	for to, from := range map[string]string{
		"": servedHost, "to='elsewhere.example'": servedHost, "to=''": servedHost, "to='" + servedHost + ".evil.example'": servedHost,
		"to='a@" + servedHost + "'": servedHost, "to='" + servedHost + "/r'": servedHost, "to='sub." + servedHost + "'": servedHost, "to='&lt;'": servedHost,
	} {
		w := h.dial(t)
		w.push(head(to + " version='1.0'"))
		if got := w.header().Attr("from"); got != from {
			t.Errorf("%s: header from %q", to, got)
		}
		w.wantError("host-unknown")
	}
	for _, to := range []string{"old.example", "OLD.example.", "xn--bcher-kva.old.example"} { // served formerly
		w := h.dial(t)
		w.push(head("to='" + to + "' version='1.0'"))
		if got := w.header().Attr("from"); got != servedHost {
			t.Errorf("%s: header from %q", to, got)
		}
		w.wantError("host-gone")
	}
	for _, to := range []string{servedHost, strings.ToUpper(servedHost), secondHost, ideaHost, "xn--bcher-kva.example"} {
		w := h.dial(t)
		w.send(head("to='" + to + "' version='1.0'"))
		w.header()
		w.features()
	}
}

func TestFeaturesOnlyAfterHeaders(t *testing.T) { // checklist 7
	h := sharedServer(t)
	w := h.dial(t)
	if f := w.open(); len(f.Children) == 0 {
		t.Error("nothing to go on with")
	}
	w.secure(h)
	w.open()
	w.login(newAccount(t)) // begins a stream and reads its features
	w.bind("")
	w.send("<presence/>")
	for _, e := range append(w.settle(), w.settle()...) {
		if e.Name.Local == "features" {
			t.Errorf("unasked: %s", e)
		}
	}
}
