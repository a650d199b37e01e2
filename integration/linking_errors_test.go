package integration_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
	discordfake "github.com/dragoman-im/dragoman/transports/discord/fake"
	slackfake "github.com/dragoman-im/dragoman/transports/slack/fake"
)

// linkError is a wrong input or fault while linking, and the words that the user must get then.
type linkError struct {
	name    string
	answers map[string]string
	words   []string
	start   func() (end func()) // where something is wrong with the network too
	log     string              // what the operator reads
}

// linker links a login in each way that a client can; each returns the answer that the user reads.
type linker struct {
	*testing.T
	ctx    context.Context
	conn   *client.Conn
	domain string
	fields []string // of the form, in its order
}

func newLinker(ctx context.Context, t *testing.T, h *deployment, account peers.Account, fields ...string) *linker {
	t.Helper()
	conn, err := h.server.Dial(ctx, account, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Drop)
	if err := conn.Send("<presence/>"); err != nil {
		t.Fatal(err)
	}
	return &linker{t, ctx, conn, h.domain, fields}
}

const (
	spaceForms    = "jabber:x:data"
	spaceCommands = "http://jabber.org/protocol/commands"
	spaceRegister = "jabber:iq:register"
)

func (l *linker) set(payload string) *xmltree.Element {
	l.Helper()
	e, err := request(l.ctx, l.conn, "set", l.domain, payload)
	if err != nil {
		l.Fatal(err)
	}
	return e
}

func (l *linker) form(answers map[string]string) string {
	var b strings.Builder
	for _, f := range l.fields {
		fmt.Fprintf(&b, "<field var='%s'><value>%s</value></field>", f, answers[f])
	}
	return "<x xmlns='" + spaceForms + "' type='submit'>" + b.String() + "</x>"
}

// byCommand links by the ad-hoc command; it cancels if there is a second form.
func (l *linker) byCommand(answers map[string]string) string {
	l.Helper()
	first := l.set("<command xmlns='"+spaceCommands+"' node='link'/>").Child(spaceCommands, "command")
	if first == nil {
		l.Fatal("no command")
	}
	id := "<command xmlns='" + spaceCommands + "' node='link' sessionid='" + first.Attr("sessionid") + "'"
	answer := l.set(id + ">" + l.form(answers) + "</command>")
	second := answer.Child(spaceCommands, "command")
	if second == nil {
		return answer.String()
	}
	if second.Attr("status") == "executing" {
		l.set(id + " action='cancel'/>")
	}
	return second.ChildText("note")
}

// byRegistration links by XEP-0077.
func (l *linker) byRegistration(answers map[string]string) string {
	l.Helper()
	answer := l.set("<query xmlns='" + spaceRegister + "'>" + l.form(answers) + "</query>")
	if answer.Attr("type") == "result" {
		return "linked"
	}
	return answer.Child(spaceOfClients, "error").ChildText("text")
}

// byChat links in a chat with the gateway, and cancels if there is a further question.
func (l *linker) byChat(answers map[string]string) string {
	l.Helper()
	lines := []string{"link"}
	for _, f := range l.fields {
		line := answers[f]
		if line == "" {
			line = "-"
		}
		lines = append(lines, line)
	}
	for _, line := range append(lines, "cancel", "help") { // its answer is the last
		if err := l.conn.Send("<message type='chat' to='" + l.domain + "'><body>" + line + "</body></message>"); err != nil {
			l.Fatal(err)
		}
	}
	var all strings.Builder
	for {
		text := l.nextReply()
		if strings.HasPrefix(text, "This is the gateway to") {
			return all.String()
		}
		all.WriteString(text + "\n")
	}
}

// reply is the next message of the gateway.
func (l *linker) nextReply() string {
	l.Helper()
	for {
		e, err := l.conn.Next(l.ctx)
		if err != nil {
			l.Fatal(err)
		}
		if e.Name.Local == "message" && e.Attr("from") == l.domain && e.ChildText("body") != "" {
			return e.ChildText("body")
		}
	}
}

// TestLinkErrors links in each way with each error: the user is informed of the error and what to do, the log has
// a line, no token appears anywhere, and no login is half linked.
func TestLinkErrors(t *testing.T) {
	t.Parallel()
	const wrong = "-00000000000-wrong"
	slack := newSlackNetwork(t)
	discord := newDiscordNetwork(t)
	weak := discord.server.AddBot(discordfake.App{Name: "weak", Allowed: discordfake.IntentPresences})
	but := func(w networkInfo, field, token string) map[string]string {
		answers := maps.Clone(w.tokens())
		answers[field] = token
		return answers
	}
	scopes := func(token string, with, without []string) func() func() {
		return func() func() {
			slack.server.SetScopes(token, without...)
			return func() { slack.server.SetScopes(token, with...) }
		}
	}
	refused := "an answer to a login is refused"
	for _, c := range []struct {
		w      fakeNetwork
		fields []string
		steps  []linkError
	}{
		{slack.asFakeNetwork(), []string{"app", "bot", "user"}, []linkError{
			{"wrong bot token", but(slack, "bot", "xoxb"+wrong), []string{"Bot token", "the bot token does not work: Slack does not accept the token"}, nil, refused},
			{"wrong user token", but(slack, "user", "xoxp"+wrong), []string{"User token", "the user token does not work"}, nil, refused},
			{"wrong app token", but(slack, "app", "xapp-1"+wrong), []string{"App-level token", "the app-level token does not work"}, nil, refused},
			{"user token as bot's", but(slack, "bot", slack.user), []string{"Bot token", "begins with xoxb-; this is a user token"}, nil, refused},
			{"bot token as app's", but(slack, "app", slack.install.Token), []string{"App-level token", "begins with xapp-; this is a bot token"}, nil, refused},
			{"missing scope", slack.tokens(), []string{"User token", "chat:write", "api.slack.com/apps", "OAuth & Permissions → User Token Scopes", "reinstall"},
				scopes(slack.user, slack.app.UserScopes(), []string{"channels:history", "channels:read", "users:read"}), refused},
			{"app token without its scope", slack.tokens(), []string{"App-level token", "connections:write", "Basic Information"},
				scopes(slack.app.Token, []string{"connections:write", "authorizations:read"}, []string{"authorizations:read"}), refused},
			{"no socket mode", slack.tokens(), []string{"App-level token", "Enable Socket Mode"},
				func() func() {
					return slack.server.Break("apps.connections.open", 0, slackfake.Refused("forbidden_team"))
				}, refused},
			{"no answer", slack.tokens(), []string{"Slack: ", "does not answer", "Nothing was linked", "try again later"},
				func() func() { return slack.server.Break("auth.test", 0, slackfake.Hang()) }, "the network does not answer"},
		}},
		{discord.asFakeNetwork(), []string{"token"}, []linkError{
			{"wrong token", map[string]string{"token": "MTIz.wrong.token"}, []string{"Bot token", "does not accept this token", "Reset Token"}, nil, refused},
			{"no intents", map[string]string{"token": weak.Token()}, []string{"Server Members Intent, Message Content Intent", "Privileged Gateway Intents"}, nil, refused},
			{"no answer", discord.tokens(), []string{"Discord: ", "Nothing was linked", "try again later"}, func() func() {
				hang := discord.server.Inject("GET /users/@me", -1, discordfake.Hang())
				return func() { hang.Remove(); hang.Release() }
			}, "the network does not answer"},
		}},
	} {
		t.Run(c.w.kind(), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
			defer cancel()
			d := peers.StartDragoman(t, peers.Options{
				Setup: peers.Setup{Host: testHost, Accounts: testAccounts}, Settings: strings.Replace(gatewaySection(c.w, ""), `"5s"`, `"1s"`, 1),
			})
			h := &deployment{server: &d.Server, gateway: d, domain: c.w.kind() + "." + testHost}
			l := newLinker(ctx, t, h, testAccounts[0], c.fields...)
			secrets := maps.Clone(c.w.tokens())
			secrets["weak"] = weak.Token()
			for _, step := range c.steps {
				end := func() {}
				if step.start != nil {
					end = step.start()
				}
				for way, link := range map[string]func(map[string]string) string{"command": l.byCommand, "registration": l.byRegistration, "chat": l.byChat} {
					reply := link(step.answers)
					for _, words := range step.words {
						if !strings.Contains(reply, words) {
							t.Errorf("%s by %s: told %q, want %q", step.name, way, reply, words)
						}
					}
					for _, secret := range secrets {
						if strings.Contains(reply, secret) {
							t.Errorf("%s by %s: a token is told: %q", step.name, way, reply)
						}
					}
				}
				end()
				if !d.Log().Contains(step.log) {
					t.Errorf("%s: the log says nothing of %q", step.name, step.log)
				}
			}
			for table, n := range rowsOf(ctx, t, d, "") {
				if strings.HasPrefix(table, "bridge_") {
					t.Errorf("nothing is linked, but %s has %d rows", table, n)
				}
			}
			for i, words := range []string{"is linked.", "is linked, as it was before"} {
				if reply := l.byCommand(c.w.tokens()); !strings.Contains(reply, words) {
					t.Errorf("time %d: told %q, want %q", i+1, reply, words)
				}
			}
			other := newLinker(ctx, t, h, testAccounts[1], c.fields...) // the same for somebody else is an account of their own
			if reply := other.byChat(c.w.tokens()); !strings.Contains(reply, "is linked.") {
				t.Errorf("somebody else was told %q", reply)
			}
			for _, secret := range secrets {
				if d.Log().Contains(secret) {
					t.Error("a token is in the log")
				}
			}
		})
	}
}

// TestMissingRights takes rights from a linked login, one after the other: its user is informed once which right is
// missing and where to get it, and everything else keeps working.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	t.Run("slack", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		w := newSlackNetwork(t)
		h := embedded(t, w.asFakeNetwork())
		l := newLinker(ctx, t, h, testAccounts[0], "app", "bot", "user")
		l.byCommand(w.tokens())
		l.awaitWork(h, w.asFakeNetwork())
		w.server.SetScopes(w.user, "channels:history", "channels:read", "users:read", "im:read", "im:write", "im:history", "im:write")
		for range 2 {
			e := l.say(w.asFakeNetwork(), "lost")
			if text := e.Child(spaceOfClients, "error").ChildText("text"); e.Attr("type") != "error" || !strings.Contains(text, "chat:write") || !strings.Contains(text, "reinstall") {
				t.Errorf("the sender is told %s", e)
			}
		}
		w.server.SetScopes(w.user, w.app.UserScopes()...)
		l.say(w.asFakeNetwork(), "found")
		awaitLines(ctx, t, w.asFakeNetwork(), true, lastIs("found"))
		if line, n := logged(ctx, h, "a client has a notice for the owner of its login"); n != 1 || !strings.Contains(line, "chat:write") {
			t.Errorf("the operator is told %d times: %s", n, line)
		}
	})
	t.Run("discord", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 4*peerTimeout)
		defer cancel()
		w := newDiscordNetwork(t)
		h := embedded(t, w.asFakeNetwork())
		l := newLinker(ctx, t, h, testAccounts[0], "token")
		lonely := w.server.AddBot(discordfake.App{Name: "lonely", Allowed: discordfake.PrivilegedIntents})
		l.byCommand(map[string]string{"token": lonely.Token()})
		if reply := l.nextReply(); !strings.Contains(reply, "in no server") || !strings.Contains(reply, "https://discord.com/oauth2/authorize?client_id="+string(lonely.ID())) {
			t.Errorf("told %q", reply)
		}
		l.byCommand(w.tokens())
		l.awaitWork(h, w.asFakeNetwork())
		w.bot.Allow(discordfake.IntentMembers | discordfake.IntentPresences)
		w.bot.Close(4014)
		reply := l.nextReply()
		if !strings.Contains(reply, "Message Content Intent") || strings.Contains(reply, "Presence Intent") || !strings.Contains(reply, "relink 2") {
			t.Errorf("told %q", reply)
		}
		if line, n := logged(ctx, h, "Message Content Intent"); n == 0 || strings.Contains(line, w.token) {
			t.Errorf("the operator is told %d times: %s", n, line)
		}
		w.bot.Allow(discordfake.PrivilegedIntents)
		l.byCommand(w.tokens())
		l.say(w.asFakeNetwork(), "found")
		awaitLines(ctx, t, w.asFakeNetwork(), true, lastIs("found"))
	})
}

// awaitWork waits until the login's contacts are in the roster, and a message arrives.
func (l *linker) awaitWork(h *deployment, w fakeNetwork) {
	l.Helper()
	local, _, _ := w.friend()
	if err := peers.Poll(l.ctx, func() error {
		if !h.gateway.Log().Contains("contacts pushed") {
			return errors.New("the account is not at work")
		}
		return nil
	}); err != nil {
		l.Fatal(err)
	}
	w.send(true, "here I am")
	for {
		e, err := l.conn.Next(l.ctx)
		if err != nil {
			l.Fatal(err)
		}
		if e.Name.Local == "message" && e.ChildText("body") == "here I am" && strings.HasPrefix(e.Attr("from"), local+"@") {
			return
		}
	}
}

// say writes to the friend and returns the answer: an error or a receipt.
func (l *linker) say(w fakeNetwork, text string) *xmltree.Element {
	l.Helper()
	local, _, _ := w.friend()
	id := fmt.Sprintf("said-%d-%d", asked.Add(1), time.Now().UnixNano())
	if err := l.conn.Send("<message type='chat' id='" + id + "' to='" + local + "@" + l.domain + "'><body>" + text + "</body><request xmlns='" + spaceReceipts + "'/></message>"); err != nil {
		l.Fatal(err)
	}
	for {
		e, err := l.conn.Next(l.ctx)
		if err != nil {
			l.Fatal(err)
		}
		if receipt := e.Child(spaceReceipts, "received"); e.Attr("type") == "error" && e.Attr("id") == id || receipt != nil && receipt.Attr("id") == id {
			return e
		}
	}
}

// logged is the last line of the gateway's log that has a text, and how many have it: what the
// process has written arrives here a moment later.
func logged(ctx context.Context, h *deployment, text string) (line string, n int) {
	_ = peers.Poll(ctx, func() error { // none at all is told by n
		if line, n = h.gateway.Log().Last(text); n == 0 {
			return errors.New("not logged")
		}
		return nil
	})
	return line, n
}
