package bridge

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// dialogues are the conversations of users with the gateway itself, one for each user,
// and the registrations that are under way.
type dialogues struct {
	mu       sync.Mutex
	talks    map[jid.JID]*talk
	register map[jid.JID]*registration
}

// talk is one conversation; its goroutine runs while there is something to answer.
type talk struct {
	lines []line
	busy  bool
	chat  *command.Chat // the command under way; owned by the goroutine
	used  time.Time
}

type line struct {
	from jid.JID
	text string
}

const (
	maxLines = 20 // that wait for an answer
	maxTalks = 5000
)

// messageToGateway is something written to the gateway's own address.
func (g *Gateway) messageToGateway(st *stanza.Stanza) {
	if st.Type == stanza.TypeError || st.Type == stanza.TypeGroupchat || st.Type == stanza.TypeHeadline {
		return
	}
	text := strings.TrimSpace(st.Body())
	if text == "" || g.privilegeGranted(st) {
		return
	}
	if encrypted(st) {
		g.refuse(st, stanza.NotAcceptable("The gateway cannot read encrypted messages. Please turn encryption off here."))
		return
	}
	if len(text) > g.set.Text {
		g.refuse(st, stanza.NotAcceptable("This message is too long."))
		return
	}
	if !g.hear(line{st.From, text}) {
		g.refuse(st, stanza.ResourceConstraint("Please wait for the answer."))
	}
}

// hear puts a line into its user's talk; false where too much waits.
func (g *Gateway) hear(l line) bool {
	d := &g.dialogues
	d.mu.Lock()
	defer d.mu.Unlock()
	who := l.from.Bare()
	t := d.talks[who]
	if t == nil {
		if len(d.talks) >= maxTalks {
			return false
		}
		if d.talks == nil {
			d.talks = map[jid.JID]*talk{}
		}
		t = &talk{}
		d.talks[who] = t
	}
	if len(t.lines) >= maxLines {
		return false
	}
	t.lines, t.used = append(t.lines, l), g.now()
	if !t.busy {
		t.busy = g.spawn(func(ctx context.Context) { g.talkOn(ctx, who, t) })
	}
	return t.busy
}

// talkOn answers line by line.
func (g *Gateway) talkOn(ctx context.Context, who jid.JID, t *talk) {
	for {
		g.dialogues.mu.Lock()
		if len(t.lines) == 0 || ctx.Err() != nil {
			t.busy = false
			switch {
			case g.dialogues.talks[who] != t: // see dropTalk
				if t.chat != nil {
					t.chat.Cancel()
				}
			case t.chat == nil:
				delete(g.dialogues.talks, who)
			}
			g.dialogues.mu.Unlock()
			return
		}
		l := t.lines[0]
		t.lines = t.lines[1:]
		g.dialogues.mu.Unlock()
		for _, text := range g.reply(ctx, t, l) {
			g.send(stanza.NewMessage(l.from, g.domain, stanza.TypeChat, body(text)))
		}
	}
}

// reply is what to say to a line.
func (g *Gateway) reply(ctx context.Context, t *talk, l line) []string {
	if t.chat != nil {
		lines, done, err := t.chat.Say(ctx, l.text)
		if done {
			t.chat = nil
		}
		return g.spoken(lines, err)
	}
	word, arg, _ := strings.Cut(l.text, " ")
	word = strings.ToLower(strings.TrimLeft(word, "/!"))
	i := slices.IndexFunc(actions, func(a action) bool { return a.word == word })
	if word == "cancel" {
		return []string{"There is nothing to cancel."}
	}
	if i < 0 || !g.offers(actions[i], l.from) {
		return []string{g.help(l.from)}
	}
	a := actions[i]
	if strings.EqualFold(strings.TrimSpace(arg), g.info.Kind) || strings.EqualFold(strings.TrimSpace(arg), g.info.Name) {
		arg = "" // "link slack"
	}
	chat, lines, done, err := command.Begin(ctx, command.Command{
		Node: a.word, Name: a.name,
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			return a.run(ctx, g, asked{owner: who.JID.Bare(), arg: arg, chat: true})
		},
	}, command.Caller{JID: l.from, To: g.domain})
	if !done {
		t.chat = chat
	}
	return g.spoken(lines, err)
}

func (g *Gateway) spoken(lines []command.Line, err error) []string {
	var texts []string
	for _, l := range lines {
		if l.Text != "" {
			texts = append(texts, l.Text)
		}
	}
	if err != nil {
		g.log.Error("dialogue", "error", err)
		texts = append(texts, "That did not work. Please try again later.")
	}
	return texts
}

// help lists what one can write.
func (g *Gateway) help(who jid.JID) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This is the gateway to %s. You can write:", g.info.Name)
	for _, a := range actions {
		if g.offers(a, who) {
			fmt.Fprintf(&b, "\n%s – %s", a.word, a.help)
		}
	}
	if !g.set.mayUse(who) && len(g.accountsOf(who)) == 0 {
		return "This is the gateway to " + g.info.Name + ". You may not link accounts here."
	}
	b.WriteString("\ncancel – give up what was begun")
	return b.String()
}

// dropTalk gives up the conversation of a user who is gone.
func (d *dialogues) dropTalk(who jid.JID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.talks[who]
	if t == nil {
		return
	}
	delete(d.talks, who)
	t.lines = nil
	if !t.busy && t.chat != nil {
		t.chat.Cancel()
	}
}

// expire forgets dialogues that nobody goes on with.
func (d *dialogues) expire(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for who, t := range d.talks {
		if !t.busy && now.Sub(t.used) > dialogueIdle {
			if t.chat != nil {
				t.chat.Cancel()
			}
			delete(d.talks, who)
		}
	}
	for who, r := range d.register {
		if now.Sub(r.used) > dialogueIdle {
			r.cancel()
			delete(d.register, who)
		}
	}
}

// stop gives up all dialogues.
func (d *dialogues) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.talks {
		if !t.busy && t.chat != nil {
			t.chat.Cancel()
		}
	}
	for _, r := range d.register {
		r.cancel()
	}
	d.talks, d.register = nil, nil
}
