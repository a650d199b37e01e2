package integration_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
	discord "github.com/dragoman-im/dragoman/transports/discord/fake"
	slack "github.com/dragoman-im/dragoman/transports/slack/fake"
)

// sharedFile is a file on a network.
type sharedFile struct {
	name, alt string
	data      []byte
}

// share has the friend share files in the channel.
func share(t *testing.T, w fakeNetwork, text string, files ...sharedFile) (remove, removeFiles func()) {
	t.Helper()
	switch n := w.friendActions.(type) {
	case *slackNetwork:
		var list []slack.FileSpec
		for _, f := range files {
			list = append(list, slack.FileSpec{Name: f.name, Alt: f.alt, Data: f.data})
		}
		m := n.ben.Share(n.general, text, slack.Message{}, list...)
		return func() { n.ben.Delete(m) }, func() {
			for _, f := range m.Files {
				f.Delete()
			}
		}
	case *discordNetwork:
		var list []discord.File
		for _, f := range files {
			list = append(list, discord.File{Name: f.name, Description: f.alt, Data: f.data})
		}
		id, err := n.server.Post(n.general, n.ben, discord.Post{Text: text, Files: list})
		n.must(err)
		return func() { n.must(n.server.Delete(n.general, id, n.ben)) }, func() { n.must(n.server.RemoveFiles(n.general, id, n.ben)) }
	}
	t.Fatalf("no files on %s", w.kind())
	return nil, nil
}

// filesOf are the addresses of a message's files (XEP-0447), by name.
func filesOf(e *xmltree.Element) map[string]string {
	all := map[string]string{}
	for _, x := range e.Children {
		if x.Name.Space != "urn:xmpp:sfs:0" {
			continue
		}
		source := x.Find("sources", "url-data")
		if source != nil {
			all[x.Find("file").ChildText("name")] = source.Attr("target")
		}
	}
	return all
}

// enterChannel is enterRoom for the room of a channel, which chooses the nickname.
func enterChannel(ctx context.Context, t *testing.T, s *peers.Server, a peers.Account, room string) *roomClient {
	t.Helper()
	conn, err := s.Dial(ctx, a, "room")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Drop)
	c := &roomClient{T: t, conn: conn, room: room}
	c.send("<presence/><presence to='%s/me'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>", room)
	e := c.await(ctx, "the own presence", func(e *xmltree.Element) bool {
		x := e.Child("http://jabber.org/protocol/muc#user", "x")
		return x != nil && slices.ContainsFunc(x.Children, func(s *xmltree.Element) bool { return s.Attr("code") == "110" })
	})
	c.nick = strings.TrimPrefix(e.Attr("from"), room+"/")
	return c
}

// TestFilesOfNetworks has files of a network read at addresses of the server: alone, several with a caption, with their descriptions, from
// the archive, after the network's own address has expired, and no longer once the message is deleted.
func TestFilesOfNetworks(t *testing.T) {
	t.Parallel()
	forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		d := peers.StartDragoman(t, peers.Options{
			Setup: peers.Setup{Host: testHost, Accounts: testAccounts}, Settings: gatewaySection(w, ""), LocalWeb: true,
		})
		h := &deployment{server: &d.Server, gateway: d, domain: w.kind() + "." + testHost, fillsRosters: true}
		sally := h.login(ctx, t, testAccounts[0])
		waitGateway(ctx, t, sally, h.domain, nil)
		h.link(ctx, t, sally, w)
		room := h.findRoom(ctx, t, sally, w)
		me := enterChannel(ctx, t, &d.Server, testAccounts[0], room)
		own := "http://" + d.HTTPAddr + "/media/"

		remove, _ := share(t, w, "", sharedFile{"one.txt", "What it says", []byte("first")})
		alone := me.await(ctx, "a file", func(e *xmltree.Element) bool { return len(filesOf(e)) == 1 })
		url := filesOf(alone)["one.txt"]
		if !strings.HasPrefix(url, own) || bodyOf(alone) != url || alone.Child("jabber:x:oob", "x") == nil || alone.Find("file-sharing", "file").ChildText("desc") != "What it says" {
			t.Errorf("a file alone is shown as %s", alone)
		}
		if status, data, _ := download(ctx, t, url); status != http.StatusOK || string(data) != "first" {
			t.Errorf("%s: %d %q", url, status, data)
		}

		_, removeFiles := share(t, w, "Look", sharedFile{"two.txt", "", []byte("second")}, sharedFile{"three.txt", "", []byte("third")})
		both := me.await(ctx, "two files", func(e *xmltree.Element) bool { return len(filesOf(e)) == 2 })
		if got := withoutFallback(t, both, "urn:xmpp:sfs:0"); got != "Look" {
			t.Errorf("without the fallback it is %q: %s", got, both)
		}
		if n, ok := w.friendActions.(*discordNetwork); ok {
			n.server.ExpireLinks()
		}
		for name, want := range map[string]string{"two.txt": "second", "three.txt": "third"} {
			if status, data, _ := download(ctx, t, filesOf(both)[name]); status != http.StatusOK || string(data) != want {
				t.Errorf("%s: %d %q", name, status, data)
			}
		}
		if bodies := archive(ctx, t, sally, room); !slices.Contains(bodies, url) {
			t.Errorf("the archive holds %q", bodies)
		}

		removeFiles()
		me.await(ctx, "the edit", func(e *xmltree.Element) bool {
			return e.Child("urn:xmpp:message-correct:0", "replace") != nil && len(filesOf(e)) == 0 && bodyOf(e) == "Look"
		})
		for name, url := range filesOf(both) {
			if status, data, _ := download(ctx, t, url); status != http.StatusNotFound {
				t.Errorf("%s, which an edit has removed: %d %q", name, status, data)
			}
		}

		remove()
		me.await(ctx, "the retraction", func(e *xmltree.Element) bool { return e.Child("urn:xmpp:message-retract:1", "retract") != nil })
		if status, data, _ := download(ctx, t, url); status != http.StatusNotFound {
			t.Errorf("the file of a deleted message: %d %q", status, data)
		}
		if d.Log().Contains(url) {
			t.Error("the address of a file is in the log")
		}
	})
}

// withoutFallback is a body without what is meant for clients that do not know a namespace (XEP-0428 §3).
func withoutFallback(t *testing.T, e *xmltree.Element, ns string) string {
	t.Helper()
	runes := []rune(bodyOf(e))
	for _, f := range e.Children {
		if f.Name.Space != "urn:xmpp:fallback:0" || f.Attr("for") != ns {
			continue
		}
		for _, b := range f.Children {
			from, err1 := strconv.Atoi(b.Attr("start"))
			to, err2 := strconv.Atoi(b.Attr("end"))
			if err1 != nil || err2 != nil || from > to || to > len(runes) {
				t.Fatalf("the fallback is %s", f)
			}
			return string(runes[:from]) + string(runes[to:])
		}
	}
	return fmt.Sprintf("no fallback: %s", e)
}
