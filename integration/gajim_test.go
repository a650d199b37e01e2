package integration_test

import (
	"context"
	"crypto/sha1" // XEP-0084 §4.1 asks for it
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// gajim is Sally's Gajim, with Simon's scripted client, whose contact she is.
type gajim struct {
	*testing.T
	*peers.Gajim
	ctx    context.Context
	relay  *peers.Relay // to the server
	server *peers.Server
	simon  *client.Conn
}

// startGajim starts a server, and Gajim on it.
func startGajim(ctx context.Context, t *testing.T) *gajim {
	t.Helper()
	for _, program := range []string{"gajim", "unshare"} {
		peers.Need(t, program)
	}
	setup := foreignSetup
	setup.Groups = []peers.Group{{Name: "Friends", Members: []string{"sally", "simon"}}}
	server := &peers.StartDragoman(t, peers.Options{Setup: setup, LocalTLS: true}).Server
	simon, err := server.Dial(ctx, foreignSetup.Accounts[1], "desk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(simon.Drop)
	g := &gajim{T: t, ctx: ctx, server: server, relay: peers.StartRelay(t, "127.0.0.1:0", server.ClientAddr), simon: simon}
	g.send(simon, "<presence/>")
	behind := *server
	behind.ClientAddr = g.relay.Addr
	g.Gajim = peers.StartGajim(t, &behind, foreignSetup.Accounts[0])
	g.gets("<presence", sallyBare+"/gajim.test")
	return g
}

func (g *gajim) send(conn *client.Conn, text string) {
	g.Helper()
	if err := conn.Send(text); err != nil {
		g.Fatal(err)
	}
}

// gets waits for a stanza that Simon receives, with all of these texts in it.
func (g *gajim) gets(parts ...string) *xmltree.Element {
	g.Helper()
	e, err := nextWith(g.ctx, g.simon, parts...)
	if err != nil {
		g.Fatalf("Simon waits in vain for %q: %v", parts, err)
	}
	return e
}

// shows waits for what Gajim has sent or received.
func (g *gajim) shows(parts ...string) {
	g.Helper()
	if err := g.Await(g.ctx, parts...); err != nil {
		g.Fatal(err)
	}
}

// activates activates an action of Gajim.
func (g *gajim) activates(of, action, parameter string) {
	g.Helper()
	if err := g.Activate(g.ctx, of, action, parameter); err != nil {
		g.Fatal(err)
	}
}

// selects opens the chat with an address.
func (g *gajim) selects(address, kind string) {
	g.Helper()
	g.activates("/window/1", "add-chat", "{'account': <'test'>, 'jid': <'"+address+"'>, 'type': <'"+kind+"'>, 'select': <true>}")
}

func (g *gajim) repeats(what string, do, effect func(ctx context.Context) error) {
	g.Helper()
	repeats(g.ctx, g.T, what, do, effect)
}

// received returns an effect: Simon receives a stanza with all of these texts in it, which is put into e.
func (g *gajim) received(e **xmltree.Element, parts ...string) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		*e, err = nextWith(ctx, g.simon, parts...)
		return err
	}
}

// types types a line in the chat that is open until Simon receives what follows from it.
func (g *gajim) types(line string, parts ...string) (e *xmltree.Element) {
	g.Helper()
	g.repeats(line, func(ctx context.Context) error {
		err := g.Keys(ctx, line, "ctrl+a", "BackSpace")
		if err == nil {
			err = g.Keys(ctx, "", "Return")
		}
		return err
	}, g.received(&e, parts...))
	return e
}

// confirms presses a key in a dialog until Simon receives what follows from it.
func (g *gajim) confirms(title, key string, parts ...string) (e *xmltree.Element) {
	g.Helper()
	g.repeats(title, func(ctx context.Context) error { return g.Window(title).Keys(ctx, "", key) }, g.received(&e, parts...))
	return e
}

// ask sends a request that has to be answered with a result.
func (g *gajim) ask(conn *client.Conn, kind, to, payload string) *xmltree.Element {
	g.Helper()
	answer, err := request(g.ctx, conn, kind, to, payload)
	if err != nil || answer.Attr("type") != "result" {
		g.Fatalf("%s: %v %v", payload, answer, err)
	}
	return answer
}

// gajimTimeout is for all that Gajim does in a test.
const gajimTimeout = 4 * time.Minute

// TestGajim has Gajim log in, chat, get copies, fetch an avatar, enter a bookmarked room, upload a file, block somebody, resume after a cut and
// read its archive in pages.
func TestGajim(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), gajimTimeout)
	defer cancel()
	g := startGajim(ctx, t)

	g.selects(simonBare, "contact")
	g.types("first words", "first words</body>")
	g.send(g.simon, "<message type='chat' id='r1' to='"+sallyBare+"'><body>an answer</body><request xmlns='urn:xmpp:receipts'/></message>")
	g.gets("urn:xmpp:receipts", "r1")

	phone, err := g.server.Dial(ctx, foreignSetup.Accounts[0], "phone")
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Drop()
	g.send(phone, "<message type='chat' to='"+simonBare+"'><body>written elsewhere</body></message>")
	g.shows("urn:xmpp:carbons:2", "written elsewhere")

	g.fetchesAvatar()
	g.entersBookmark(phone)
	g.uploads()
	g.blocks()

	g.relay.Cut()
	g.send(g.simon, "<message type='chat' id='cut' to='"+sallyBare+"'><body>during the cut</body><request xmlns='urn:xmpp:receipts'/></message>")
	g.shows("<resumed ")
	g.gets("urn:xmpp:receipts", "cut")

	if err := phone.Close(); err != nil {
		t.Error(err)
	}
	g.readsArchive()
}

// fetchesAvatar has Gajim fetch Simon's avatar (XEP-0084).
func (g *gajim) fetchesAvatar() {
	g.Helper()
	picture, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	if err != nil {
		g.Fatal(err)
	}
	sum := sha1.Sum(picture)
	id := hex.EncodeToString(sum[:])
	for _, publish := range []string{
		"<publish node='urn:xmpp:avatar:data'><item id='" + id + "'><data xmlns='urn:xmpp:avatar:data'>" + base64.StdEncoding.EncodeToString(picture) + "</data></item></publish>",
		fmt.Sprintf("<publish node='urn:xmpp:avatar:metadata'><item id='%s'><metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='%d' id='%[1]s' type='image/png'/></metadata></item></publish>", id, len(picture)),
	} {
		g.ask(g.simon, "set", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"+publish+"</pubsub>")
	}
	err = peers.Poll(g.ctx, func() error {
		for _, dir := range []string{"data", "cache"} {
			if _, err := os.Stat(filepath.Join(g.Dir, dir, "gajim", "avatars", id)); err == nil {
				return nil
			}
		}
		return fmt.Errorf("Gajim has not stored avatar %s", id)
	})
	if err != nil {
		g.Fatal(err)
	}
}

// entersBookmark has Gajim enter a room of Simon's, for a bookmark that another client of Sally's saves (XEP-0402).
func (g *gajim) entersBookmark(phone *client.Conn) {
	g.Helper()
	const room = "hall@conference." + testHost
	g.send(g.simon, "<presence to='"+room+"/Simon'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	g.gets("<presence", room+"/Simon")
	g.ask(g.simon, "set", room, "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>")
	g.ask(phone, "set", "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='"+room+"'>"+
		"<conference xmlns='urn:xmpp:bookmarks:1' name='Hall' autojoin='true'><nick>Sally</nick></conference></item></publish></pubsub>")
	g.gets("<presence", room+"/Sally")
}

// uploads has Gajim upload a file and send its address, from which Simon downloads it (XEP-0363).
func (g *gajim) uploads() {
	g.Helper()
	file := filepath.Join(g.Dir, "text.txt")
	if err := os.WriteFile(file, []byte("the contents"), 0o600); err != nil {
		g.Fatal(err)
	}
	g.selects(simonBare, "contact")
	var sent *xmltree.Element
	g.repeats("upload", func(ctx context.Context) error {
		g.activates("/window/1", "send-file-httpupload", "['file://"+file+"']")
		return g.Keys(ctx, "", "Return")
	}, g.received(&sent, "/text.txt</body>"))
	https := http.Client{Transport: &http.Transport{TLSClientConfig: g.server.TLS.Clone(), DisableKeepAlives: true}}
	answer, err := https.Get(sent.ChildText("body"))
	if err != nil {
		g.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK || answer.ContentLength != int64(len("the contents")) {
		g.Errorf("%s, %d bytes, %v", answer.Status, answer.ContentLength, err)
	}
}

// blocks has Gajim block Simon and accept him again (XEP-0191).
func (g *gajim) blocks() {
	g.Helper()
	g.activates("", "test-block-contact", "'"+simonBare+"'")
	g.confirms("Block Contact", "alt+b", "<presence", sallyBare, "unavailable")
	g.send(g.simon, "<message type='chat' id='refused' to='"+sallyBare+"'><body>not for Sally</body></message>")
	g.gets("refused", "<error")
	g.shows("<block xmlns='urn:xmpp:blocking'>") // the notification of it, as the server writes it
	g.activates("", "test-block-contact", "'"+simonBare+"'")
	g.gets("<presence", sallyBare+"/gajim.test")
}

// readsArchive has Gajim fetch what came while it was away, in pages (XEP-0313, XEP-0059).
func (g *gajim) readsArchive() {
	g.Helper()
	g.End()
	const many = 120
	for i := range many {
		g.send(g.simon, fmt.Sprintf("<message type='chat' to='%s'><body>while she was away %d.</body></message>", sallyBare, i+1))
	}
	g.ask(g.simon, "get", testHost, "<ping xmlns='urn:xmpp:ping'/>")
	g.Start(g.T)
	g.shows("urn:xmpp:mam:2", "while she was away 1.", fmt.Sprintf("while she was away %d.", many), "<after>")
}
