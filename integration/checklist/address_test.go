package checklist

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

func TestSender(t *testing.T) { // checklist 36
	h := sharedServer(t)
	bob := h.session(t, newAccount(t), "desk")
	alice := h.session(t, newAccount(t), "home")
	// None, the full and the bare one are right, however they are written.
	for _, from := range []string{"", " from='" + alice.jid + "'", " from='" + alice.bare() + "'", " from='" + strings.ToUpper(alice.bare()) + "/home'"} {
		alice.send("<message" + from + " to='" + bob.jid + "'><body>x</body></message>")
		match(t, bob.element(), "<message from='"+alice.jid+"' to='"+bob.jid+"' xml:lang='{any?}'><body>x</body></message>")
	}
	alice.send("<presence" + " from='" + alice.jid + "' to='" + bob.bare() + "' type='subscribe'/>")
	alice.settle()
	bob.send("<presence/>")
	for _, e := range bob.settle() {
		if e.Attr("type") == "subscribe" && e.Attr("from") != alice.bare() {
			t.Errorf("subscribe from %s", e.Attr("from"))
		}
	}
	for _, from := range []string{bob.jid, bob.bare(), alice.bare() + "/other", servedHost, "somebody@elsewhere.example", alice.jid + "x"} {
		for _, kind := range []string{"message", "presence", "iq type='get' id='1'"} {
			name, _, _ := strings.Cut(kind, " ")
			w := h.session(t, strings.TrimSuffix(alice.bare(), "@"+servedHost), "")
			w.push("<" + kind + " from='" + from + "' to='" + bob.jid + "'><x xmlns='urn:x'/></" + name + ">")
			w.wantError("invalid-from")
		}
	}
	bob.nothing()
}

func TestStanzaOwnership(t *testing.T) { // checklist 37
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	other := h.session(t, newAccount(t), "")
	for _, to := range []string{"", w.bare()} { // from the account itself
		e := w.ask("get", to, "<query xmlns='"+nsRoster+"'/>")
		if from := e.Attr("from"); from != "" && from != w.bare() {
			t.Errorf("to %q: from %q", to, from)
		}
	}
	w.send("<iq type='set' id='r'><query xmlns='" + nsRoster + "'><item jid='c@example.org'/></query></iq>")
	for range 2 {
		if e := w.element(); e.Attr("from") != "" && e.Attr("from") != w.bare() {
			t.Errorf("push or result from %q", e.Attr("from"))
		}
	}
	for _, to := range []string{servedHost, other.bare(), other.bare() + "/gone", "nobody@" + servedHost, "elsewhere.example", servedHost + "/r"} {
		if e := w.ask("get", to, "<query xmlns='urn:example:unknown'/>"); e.Attr("from") != to {
			t.Errorf("the answer for %s is from %q", to, e.Attr("from"))
		}
	}
	other.nothing()
}

func TestReceiverIsKept(t *testing.T) { // checklist 38
	h := sharedServer(t)
	bob := h.available(t, newAccount(t), "desk")
	alice := h.session(t, newAccount(t), "")
	for _, to := range []string{bob.bare(), bob.jid, bob.bare() + "/gone"} {
		alice.send("<message to='" + to + "' type='chat'><body>x</body></message>")
		if e := bob.element(); e.Attr("to") != to {
			t.Errorf("to %s arrives as to %s", to, e.Attr("to"))
		}
	}
	alice.send("<presence to='" + bob.bare() + "'/>")
	if e := bob.element(); e.Attr("to") != bob.bare() {
		t.Error(e)
	}
}

// There are no links to other servers yet; that of a component has the same rules.
func TestLinkAddresses(t *testing.T) { // checklist 39
	h := sharedServer(t)
	bob := h.session(t, newAccount(t), "")
	name := domain(t)
	body := "<body>x</body></message>"
	for attrs, want := range map[string]string{ // RFC 6120 §8.1.1.2, §4.9.3.7
		"from='" + name + "'":                             "improper-addressing",
		"from='" + name + "' to=''":                       "improper-addressing",
		"to='" + bob.jid + "'":                            "improper-addressing",
		"from='' to='" + bob.jid + "'":                    "improper-addressing",
		"from='@' to='" + bob.jid + "'":                   "improper-addressing",
		"from='x@elsewhere.example' to='" + bob.jid + "'": "invalid-from",
	} {
		var k *rawClient
		poll(t, func() error { // the one before has to be gone
			k = h.dialAddr(t, h.ComponentAddr)
			k.host = name
			k.send(handshake0(k, name))
			if e := k.element(); e.Name.Local != "handshake" {
				return errNotYet
			}
			return nil
		})
		k.push("<message " + attrs + ">" + body)
		if got, _ := k.streamError(); got != want && (want != "improper-addressing" || got != "invalid-from") {
			t.Errorf("%s: %s, want %s", attrs, got, want)
		}
	}
	bad := h.component(t, domain(t))
	bad.send("<message from='" + bad.jid + "' to='@' id='m'>" + body)
	if e := bad.element(); condition(e) != "jid-malformed" {
		t.Error(e)
	}
	// A stanza from one foreign domain to another is not routed.
	k := h.component(t, domain(t))
	k.send("<message from='" + k.jid + "' to='a@elsewhere.example' id='m'>" + body)
	if e := k.element(); condition(e) != "remote-server-not-found" {
		t.Error(e)
	}
	bob.nothing()
}

// handshake0 opens the stream of a component and gives the handshake for it.
func handshake0(k *rawClient, name string) string {
	return handshake(k.componentHeader(name), "between us")
}

func TestComponentAddresses(t *testing.T) { // checklist 40
	h := sharedServer(t)
	bob := h.session(t, newAccount(t), "")
	k := h.component(t, domain(t))
	for _, from := range []string{k.jid, "anybody@" + k.jid, "anybody@" + k.jid + "/any", k.jid + "/any"} {
		k.send("<message from='" + from + "' to='" + bob.jid + "'/>")
		if e := bob.element(); e.Attr("from") != from {
			t.Errorf("from %s arrives from %s", from, e.Attr("from"))
		}
	}
	for _, from := range []string{servedHost, bob.bare(), "sub." + k.jid, "x" + k.jid, "a@" + domainName(0) + ".evil"} {
		k := h.component(t, domain(t))
		k.push("<message from='" + from + "' to='" + bob.jid + "'/>")
		k.wantError("invalid-from")
	}
	k.push("<message from='" + k.jid + "'/>")
	k.wantError("improper-addressing")
	bob.nothing()
}

func TestIDs(t *testing.T) { // checklist 41
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	for _, id := range []string{"1", "a b", "&lt;&amp;&gt;", "♚", strings.Repeat("long", 200), "\"", " "} {
		for _, payload := range []string{"<ping xmlns='urn:xmpp:ping'/>", "<unknown xmlns='urn:x'/>"} {
			w.send("<iq type='get' id='" + id + "' to='" + servedHost + "'>" + payload + "</iq>")
			want := strings.NewReplacer("&lt;", "<", "&amp;", "&", "&gt;", ">").Replace(id)
			if e := w.element(); e.Attr("id") != want {
				t.Errorf("%q is answered with %q", want, e.Attr("id"))
			}
		}
	}
	w.send("<iq type='get' to='" + servedHost + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	if e := w.element(); condition(e) != "bad-request" {
		t.Errorf("without an id: %s", e)
	}
}

func TestLanguage(t *testing.T) { // checklist 42
	h := sharedServer(t)
	bob := h.session(t, newAccount(t), "")
	alice, _ := h.secured(t)
	user := newAccount(t)
	alice.send(plain(user, password))
	alice.element()
	alice.again()
	alice.send(head("to='" + servedHost + "' version='1.0' xml:lang='cs'"))
	alice.header()
	alice.features()
	alice.bind("")
	for send, want := range map[string]string{
		"<message to='" + bob.jid + "'><body>x</body></message>":                                                                   "cs",
		"<message to='" + bob.jid + "' xml:lang='en'><body>x</body></message>":                                                     "en",
		"<message to='" + bob.jid + "' xml:lang=''><body>x</body></message>":                                                       "",
		"<message to='" + bob.jid + "'><body xml:lang='de'>x</body></message>":                                                     "cs",
		"<message to='" + bob.jid + "' xml:lang='x-a'><body xml:lang='sr-Latn'>x</body><b xmlns='urn:x' xml:lang='fr'/></message>": "x-a",
	} {
		alice.send(send)
		e := bob.element()
		row, err := xmltree.ParseFragment(strings.Replace(send, "<message ", "<message from='"+alice.jid+"' ", 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := e.Attrs[xml.Name{Space: xmltree.XMLSpace, Local: "lang"}]; !ok {
			t.Errorf("%s: no language", send)
		}
		lang := row[0].Attrs
		for name := range e.Attrs {
			if name.Space == xmltree.XMLSpace {
				if got := e.Attrs[name]; got != want {
					t.Errorf("%s: language %q, want %q", send, got, want)
				}
				lang[name] = want
			}
		}
		if err := xmltree.Match(row[0], unmarked(e), nil); err != nil {
			t.Errorf("%s: %v", send, err)
		}
	}
}

func TestForwarding(t *testing.T) { // checklist 43
	h := sharedServer(t)
	bob := h.session(t, newAccount(t), "")
	k := h.component(t, domain(t))
	alice := h.session(t, newAccount(t), "")
	for _, inside := range []string{
		"<x xmlns='urn:example:a'><y xmlns='urn:example:b' z='1'/></x>",
		"<p:x xmlns:p='urn:example:a' p:q='1' q='2'><p:y/><y xmlns=''/></p:x>",
		"<x xmlns='urn:example:a'>&lt;text&gt; &amp; &quot;more&quot; &#9731; &#xD; \u2603</x>",
		"<x xmlns='urn:example:a' a='&lt;&#10;&#9;&#13;&quot;'/>",
		"<x xmlns='urn:example:a'><![CDATA[<not> & markup]]></x>",
		"<body>one</body><body xml:lang='cs'>two</body><subject/><thread parent='p'>t</thread>",
		"<q:x xmlns:q='urn:one'><q:x xmlns:q='urn:two'><q:z/></q:x><q:z/></q:x>",
	} {
		text := "<message id='i' type='wedding' to='%' xmlns:e='urn:example:e' e:more='yes' unknown='too'>" + inside + "</message>"
		for _, to := range []*rawClient{bob, k} {
			address := bob.jid
			if to == k {
				address = "somebody@" + k.jid
			}
			alice.send(strings.Replace(text, "%", address, 1))
			e := to.element()
			retag(e)
			row, err := xmltree.ParseFragment(strings.NewReplacer("%", address, "<message ", "<message from='"+alice.jid+"' xml:lang='{any?}' ").Replace(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := xmltree.Match(row[0], unmarked(e), nil); err != nil {
				t.Errorf("%s: %v", inside, err)
			}
		}
	}
}

// retag gives what a component has received the namespace of clients, where it has its own.
func retag(e *xmltree.Element) {
	if e.Name.Space == nsComponent {
		e.Name.Space = nsClient
	}
	for _, c := range e.Children {
		retag(c)
	}
}

func TestContentNamespaces(t *testing.T) { // checklist 44
	h := sharedServer(t)
	bob := h.session(t, newAccount(t), "")
	for _, space := range []string{"jabber:server", nsComponent, "urn:example:x"} {
		w := h.session(t, newAccount(t), "")
		w.push("<message xmlns='" + space + "' from='admin@" + servedHost + "' to='" + bob.jid + "'><body>x</body></message>")
		w.wantError("unsupported-stanza-type", "invalid-namespace")
	}
	bob.nothing()

	// What is forwarded within a stanza keeps the namespace that it has (XEP-0297).
	k := h.component(t, domain(t))
	forwarded := "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='a@b' from='c@d'><body>inner</body></message></forwarded>"
	bob.send("<message to='" + k.jid + "'><body>outer</body>" + forwarded + "</message>")
	e := k.element()
	if e.Name.Space != nsComponent || e.Child(nsComponent, "body") == nil {
		t.Errorf("a component is sent %s", e)
	}
	if m := e.Find("forwarded", "message"); m == nil || m.Name.Space != nsClient || m.Child(nsClient, "body") == nil {
		t.Errorf("forwarded: %s", e)
	}
	k.send("<message from='" + k.jid + "' to='" + bob.jid + "'><body>outer</body>" + forwarded + "</message>")
	e = bob.element()
	if e.Name.Space != nsClient || e.Child(nsClient, "body") == nil {
		t.Errorf("a client is sent %s", e)
	}
	if m := e.Find("forwarded", "message"); m == nil || m.Name.Space != nsClient || m.Child(nsClient, "body") == nil {
		t.Errorf("forwarded: %s", e)
	}
	// A component cannot send what only a client's stream may have.
	k.push("<message xmlns='jabber:client' from='" + k.jid + "' to='" + bob.jid + "'><body>x</body></message>")
	k.wantError("invalid-namespace", "unsupported-stanza-type", "bad-namespace-prefix")
	bob.nothing()
}
