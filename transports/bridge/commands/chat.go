package commands

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
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
)

// dialogues are the chats of users with the gateway itself, one for each user, and the
// registrations that are under way.
type dialogues struct {
	mu       sync.Mutex
	chats    map[jid.JID]*chat
	register map[jid.JID]*registration
}

// chat is the chat of one user; its goroutine runs while there is something to answer.
type chat struct {
	lines   []line
	busy    bool
	running *command.Chat // the command under way; owned by the goroutine
	used    time.Time
}

type line struct {
	from jid.JID
	text string
}

const (
	maxLines = 20 // that wait for an answer
	maxChats = 5000
)

// Message takes something written to the gateway's own address.
func (c *Commands) Message(st *stanza.Stanza) {
	if st.Type == stanza.TypeError || st.Type == stanza.TypeGroupchat || st.Type == stanza.TypeHeadline {
		return
	}
	text := strings.TrimSpace(st.Body())
	if text == "" {
		c.env.Archive(st)
		return
	}
	if convert.Encrypted(st) {
		c.refuse(st, stanza.NotAcceptable("The gateway cannot read encrypted messages. Please turn encryption off here."))
		return
	}
	if len(text) > c.env.Settings.Text {
		c.refuse(st, stanza.TooLong("message", text, c.env.Settings.Text))
		return
	}
	if !c.enqueue(line{st.From, text}) {
		c.refuse(st, stanza.ResourceConstraint("Please wait for the answer."))
		return
	}
	c.env.Archive(st)
}

// enqueue puts a line into its user's chat; false where too much waits.
func (c *Commands) enqueue(l line) bool {
	d := &c.dialogues
	d.mu.Lock()
	defer d.mu.Unlock()
	who := l.from.Bare()
	t := d.chats[who]
	if t == nil {
		if len(d.chats) >= maxChats {
			return false
		}
		if d.chats == nil {
			d.chats = map[jid.JID]*chat{}
		}
		t = &chat{}
		d.chats[who] = t
	}
	if len(t.lines) >= maxLines {
		return false
	}
	t.lines, t.used = append(t.lines, l), c.env.Now()
	if !t.busy {
		t.busy = c.env.Group.Go(func(ctx context.Context) { c.answerLines(ctx, who, t) })
	}
	return t.busy
}

// answerLines answers line by line.
func (c *Commands) answerLines(ctx context.Context, who jid.JID, t *chat) {
	for {
		c.dialogues.mu.Lock()
		if len(t.lines) == 0 || ctx.Err() != nil {
			t.busy = false
			switch {
			case c.dialogues.chats[who] != t: // see dropChat
				if t.running != nil {
					t.running.Cancel()
				}
			case t.running == nil:
				delete(c.dialogues.chats, who)
			}
			c.dialogues.mu.Unlock()
			return
		}
		l := t.lines[0]
		t.lines = t.lines[1:]
		c.dialogues.mu.Unlock()
		for _, text := range c.reply(ctx, t, l) {
			c.env.Send(stanza.NewMessage(l.from, c.env.Domain, stanza.TypeChat, convert.Body(text)))
		}
	}
}

// reply is the answer to a line.
func (c *Commands) reply(ctx context.Context, t *chat, l line) []string {
	if t.running != nil {
		lines, done, err := t.running.Answer(ctx, l.text)
		if done {
			t.running = nil
		}
		return c.texts(lines, err)
	}
	word, arg, _ := strings.Cut(l.text, " ")
	word = strings.ToLower(strings.TrimLeft(word, "/!"))
	i := slices.IndexFunc(actions, func(a action) bool { return a.word == word })
	if word == "cancel" {
		return []string{"There is nothing to cancel."}
	}
	if i < 0 || !c.offers(actions[i], l.from) {
		return []string{c.unknown(word, i, l.from) + c.help(l.from)}
	}
	a := actions[i]
	if strings.EqualFold(strings.TrimSpace(arg), c.env.Info.Kind) || strings.EqualFold(strings.TrimSpace(arg), c.env.Info.Name) {
		arg = "" // "link slack"
	}
	running, lines, done, err := command.StartChat(ctx, command.Command{
		Node: a.word, Name: a.name,
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			return a.run(ctx, c, asked{owner: who.JID.Bare(), arg: arg, chat: true})
		},
	}, command.Caller{JID: l.from, To: c.env.Domain})
	if !done {
		t.running = running
	}
	return c.texts(lines, err)
}

// unknown says what is wrong with a word that is none of those that one can write, or, where i is that of an action, cannot be
// written now; "" where help is what is wanted. It does not repeat the word: that may be a password or token whose question has
// ended, and the answer is archived and copied.
func (c *Commands) unknown(word string, i int, who jid.JID) string {
	switch {
	case word == "help" || word == "?" || word == "" || !c.env.Settings.MayUse(who):
		return ""
	case i < 0 || actions[i].admin || actions[i].needs != nil && !actions[i].needs(c.env.Info.Caps):
		return "That is nothing that can be done here. "
	case len(c.logins.Of(who)) == 0:
		return "You have not linked an account yet: write “link”. "
	}
	return ""
}

// texts are the lines of an answer.
func (c *Commands) texts(lines []command.Line, err error) []string {
	var texts []string
	for _, l := range lines {
		if l.Text != "" {
			texts = append(texts, l.Text)
		}
	}
	if err != nil {
		c.env.Log.Error("dialogue", "error", err)
		texts = append(texts, "That did not work. Please try again later.")
	}
	return texts
}

// help lists what one can write.
func (c *Commands) help(who jid.JID) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This is the gateway to %s. You can write:", c.env.Info.Name)
	for _, a := range actions {
		if c.offers(a, who) {
			fmt.Fprintf(&b, "\n%s – %s", a.word, a.help)
		}
	}
	if !c.env.Settings.MayUse(who) && len(c.logins.Of(who)) == 0 {
		return "This is the gateway to " + c.env.Info.Name + ". You may not link accounts here."
	}
	b.WriteString("\ncancel – give up what was begun")
	return b.String()
}

// dropChat gives up the chat of a user who is gone.
func (d *dialogues) dropChat(who jid.JID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.chats[who]
	if t == nil {
		return
	}
	delete(d.chats, who)
	t.lines = nil
	if !t.busy && t.running != nil {
		t.running.Cancel()
	}
}

// expire forgets dialogues that nobody goes on with.
func (d *dialogues) expire(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for who, t := range d.chats {
		if !t.busy && now.Sub(t.used) > gateway.DialogueIdle {
			if t.running != nil {
				t.running.Cancel()
			}
			delete(d.chats, who)
		}
	}
	for who, r := range d.register {
		if now.Sub(r.used) > gateway.DialogueIdle {
			r.cancel()
			delete(d.register, who)
		}
	}
}

// stop gives up all dialogues.
func (d *dialogues) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.chats {
		if !t.busy && t.running != nil {
			t.running.Cancel()
		}
	}
	for _, r := range d.register {
		r.cancel()
	}
	d.chats, d.register = nil, nil
}
