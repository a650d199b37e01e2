package integration_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/mattermost"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestMatteridge attaches matteridge, slidge's gateway to Mattermost, with a fake server of Mattermost: a contact and a private
// channel are used as people do, by the privileges that the component has.
func TestMatteridge(t *testing.T) {
	t.Parallel()
	peers.Need(t, "slidge")
	ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
	defer cancel()
	network := mattermost.Start(time.Now().UnixMilli())
	t.Cleanup(network.Close)
	network.Say(mattermost.Ben, false, "Before you came")
	network.Say(mattermost.Ben, true, "Long ago")
	d, domain := startSlidge(t, "mattermost", "mattermost")
	m := &matteridge{T: t, ctx: ctx, conn: slidgeUser(ctx, t, &d.Server, domain), domain: domain, network: network}
	m.register()
	m.directMessages()
	m.channel()
	m.sharedFiles()
	if list := network.Unknown(); len(list) > 0 {
		t.Errorf("requests that the fake server does not know: %q", list)
	}
}

// matteridge is the client of somebody who uses the gateway.
type matteridge struct {
	*testing.T
	ctx     context.Context
	conn    *client.Conn
	domain  string
	network *mattermost.Server
}

func (m *matteridge) ben() string  { return "ben@" + m.domain }
func (m *matteridge) room() string { return mattermost.General + "@" + m.domain }

func (m *matteridge) send(format string, args ...any) {
	m.Helper()
	if err := m.conn.Send(fmt.Sprintf(format, args...)); err != nil {
		m.Fatal(err)
	}
}

// receives waits for a message with a body, from an address or a resource of it.
func (m *matteridge) receives(from, body string) *xmltree.Element {
	m.Helper()
	return until(m.ctx, m.T, m.conn, fmt.Sprintf("%q from %s", body, from), func(e *xmltree.Element) bool {
		sender := e.Attr("from")
		return e.Name.Local == "message" && e.Attr("type") != "error" && e.ChildText("body") == body && (sender == from || strings.HasPrefix(sender, from+"/"))
	})
}

// shows waits until the network's posts satisfy ok.
func (m *matteridge) shows(direct bool, ok func([]mattermost.Post) bool) {
	m.Helper()
	err := peers.Poll(m.ctx, func() error {
		if all := m.network.Posts(direct); !ok(all) {
			return fmt.Errorf("the network has %+v", all)
		}
		return nil
	})
	if err != nil {
		m.Fatal(err)
	}
}

func lastPost(fits func(mattermost.Post) bool) func([]mattermost.Post) bool {
	return func(all []mattermost.Post) bool { return len(all) > 0 && fits(all[len(all)-1]) }
}

// register links the account, after a token that is wrong was refused: the contact is in the roster then.
func (m *matteridge) register() {
	m.Helper()
	form := func(token string) *xmltree.Element {
		fields := ""
		for name, value := range map[string]string{"FORM_TYPE": "jabber:iq:register", "url": m.network.URL, "token": token, "basepath": "/api/v4", "basepath_ws": "/websocket", "strict_ssl": "1"} {
			fields += "<field var='" + name + "'><value>" + value + "</value></field>"
		}
		e, err := request(m.ctx, m.conn, "set", m.domain, "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>"+fields+"</x></query>")
		if err != nil {
			m.Fatal(err)
		}
		return e
	}
	if e := form("wrong"); e.Attr("type") != "error" {
		m.Errorf("a wrong token: %s", e)
	}
	if e := form(mattermost.Token); e.Attr("type") == "error" {
		m.Fatal(errorOf(e))
	}
	// slidge 0.4.2 does not add those to the roster whom the network knows already.
	if err := peers.Poll(m.ctx, func() error {
		if !m.network.Meet() {
			return errors.New("no client listens to the network")
		}
		return nil
	}); err != nil {
		m.Fatal(err)
	}
	until(m.ctx, m.T, m.conn, "the contact is in the roster", func(e *xmltree.Element) bool {
		return e.Attr("type") == "set" && strings.Contains(e.String(), m.ben()) && strings.Contains(e.String(), "Ben Tester")
	})
}

// directMessages writes, edits, reacts and retracts both ways with the contact.
func (m *matteridge) directMessages() {
	m.Helper()
	id := m.network.Say(mattermost.Ben, true, "Are you there?")
	first := m.receives(m.ben(), "Are you there?")
	m.network.Edit(id, "Are you here?")
	if e := m.receives(m.ben(), "Are you here?"); e.Child("urn:xmpp:message-correct:0", "replace").Attr("id") != first.Attr("id") {
		m.Errorf("the edit is %s", e)
	}
	m.send("<message type='chat' to='%s' id='r1'><reactions xmlns='urn:xmpp:reactions:0' id='%s'><reaction>👍</reaction></reactions><store xmlns='urn:xmpp:hints'/></message>", m.ben(), first.Attr("id"))
	m.shows(true, lastPost(func(p mattermost.Post) bool {
		return len(p.Reactions) == 1 && p.Reactions[0].User == mattermost.Ann && strings.Contains("+1 thumbsup", p.Reactions[0].Emoji)
	}))
	m.network.Remove(id)
	until(m.ctx, m.T, m.conn, "the retraction", func(e *xmltree.Element) bool {
		x := e.Child("urn:xmpp:message-retract:1", "retract")
		return x != nil && x.Attr("id") == first.Attr("id")
	})

	m.send("<message type='chat' to='%s' id='a1'><body>I am</body></message>", m.ben())
	m.shows(true, lastPost(func(p mattermost.Post) bool { return p.User == mattermost.Ann && p.Text == "I am" }))
	m.send("<message type='chat' to='%s' id='a2'><body>I am here</body><replace xmlns='urn:xmpp:message-correct:0' id='a1'/></message>", m.ben())
	m.shows(true, lastPost(func(p mattermost.Post) bool { return p.Text == "I am here" }))
	posts := m.network.Posts(true)
	m.network.React(posts[len(posts)-1].ID, "tada")
	until(m.ctx, m.T, m.conn, "a reaction", func(e *xmltree.Element) bool {
		x := e.Child("urn:xmpp:reactions:0", "reactions")
		return x != nil && x.Attr("id") == "a1" && x.ChildText("reaction") == "🎉"
	})
	m.send("<message type='chat' to='%s' id='a3'><retract xmlns='urn:xmpp:message-retract:1' id='a1'/><store xmlns='urn:xmpp:hints'/></message>", m.ben())
	m.shows(true, func(all []mattermost.Post) bool {
		return !slices.ContainsFunc(all, func(p mattermost.Post) bool { return strings.HasPrefix(p.Text, "I am") })
	})

	// What the owner writes with the network's own client is in their account as sent by them (XEP-0356, message).
	m.network.Say(mattermost.Ann, true, "From my phone")
	until(m.ctx, m.T, m.conn, "a copy of what was written elsewhere", func(e *xmltree.Element) bool {
		sent := e.Find("sent", "forwarded", "message")
		return sent != nil && sent.ChildText("body") == "From my phone" && sent.Attr("to") == m.ben()
	})
}

// channel joins the private channel, which the component has put among the bookmarks (XEP-0356, iq), and writes both ways in it.
func (m *matteridge) channel() {
	m.Helper()
	err := peers.Poll(m.ctx, func() error {
		answer, err := ask(m.ctx, m.conn, testAccounts[0].User+"@"+testHost, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>")
		if err == nil && !strings.Contains(answer.String(), m.room()) {
			err = errors.New("bookmarks: " + answer.String())
		}
		return err
	})
	if err != nil {
		m.Error(err)
	}
	m.send("<presence to='%s/ann'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='10'/></x></presence>", m.room())
	until(m.ctx, m.T, m.conn, "the own presence in the room", func(e *xmltree.Element) bool {
		return e.Name.Local == "presence" && strings.HasPrefix(e.Attr("from"), m.room()+"/") && hasStatus(e, "110")
	})
	m.receives(m.room(), "Before you came")
	m.network.Say(mattermost.Ben, false, "Hello all")
	m.receives(m.room()+"/Ben Tester", "Hello all")
	m.send("<message type='groupchat' to='%s' id='g1'><body>Hello yourself</body></message>", m.room())
	e := m.receives(m.room(), "Hello yourself")
	if e.Attr("id") != "g1" {
		m.Errorf("the own message came back as %s", e)
	}
	m.shows(false, lastPost(func(p mattermost.Post) bool { return p.User == mattermost.Ann && p.Text == "Hello yourself" }))
}

// sharedFiles sends a file each way: by XEP-0363 of the server.
func (m *matteridge) sharedFiles() {
	m.Helper()
	m.network.Share(true, mattermost.File{Name: "plan.txt", Data: []byte("what the plan says")})
	e := until(m.ctx, m.T, m.conn, "a file", func(e *xmltree.Element) bool {
		return e.Child("jabber:x:oob", "x") != nil && e.Attr("from") != "" && strings.HasPrefix(e.Attr("from"), m.ben())
	})
	url := e.Child("jabber:x:oob", "x").ChildText("url")
	if status, data, _ := download(m.ctx, m.T, url); status != http.StatusOK || string(data) != "what the plan says" {
		m.Errorf("%s: %d %q", url, status, data)
	}
	own := &remoteUser{m.T, m.conn, testAccounts[0].User + "@" + testHost, new(atomic.Int32)}
	url = own.upload("the answer")
	m.send("<message type='chat' to='%s' id='f1'><body>%s</body><x xmlns='jabber:x:oob'><url>%[2]s</url></x></message>", m.ben(), url)
	m.shows(true, lastPost(func(p mattermost.Post) bool {
		return len(p.Files) == 1 && string(m.network.File(p.Files[0]).Data) == "the answer"
	}))
}
