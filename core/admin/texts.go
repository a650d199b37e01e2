package admin

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// MaxText is the maximum length of an announcement or another text, in bytes.
const MaxText = 16 << 10

// batch is the number of accounts that one transaction, or one page of a list, handles.
const batch = 500

// TextName names a text that a host has.
type TextName string

// The texts.
const (
	MessageOfTheDay TextName = "motd"    // sent once to every account
	Welcome         TextName = "welcome" // sent once to every account that was created after it was set
)

var textSubjects = map[TextName]string{MessageOfTheDay: "Message of the day", Welcome: "Welcome"}

// Text is a text of a host.
type Text struct {
	Text    string
	Version int64     // rises with each change
	Since   time.Time // when there was no such text before
}

// Seen is what an account was sent.
type Seen struct {
	Created  time.Time // of the account
	Versions map[TextName]int64
}

// TextStore keeps the texts of hosts, and who was sent which version.
type TextStore interface {
	Texts(ctx context.Context, host jid.JID) (map[TextName]Text, error)
	// SetText sets a text, or deletes it where text is empty.
	SetText(ctx context.Context, host jid.JID, name TextName, text string) error
	Seen(ctx context.Context, account jid.JID) (Seen, error)
	// MarkSeen notes that accounts are sent a version and returns those that were not sent it before.
	MarkSeen(ctx context.Context, accounts []jid.JID, name TextName, version int64) ([]jid.JID, error)
	// AccountsAfter returns the accounts of a host that follow an address, in order, and at most limit of them.
	AccountsAfter(ctx context.Context, host jid.JID, after string, limit int) ([]jid.JID, error)
}

// texts are the texts of the host in memory.
type texts struct {
	current atomic.Pointer[map[TextName]Text] // immutable
}

func newTexts() *texts {
	t := &texts{}
	t.current.Store(&map[TextName]Text{})
	return t
}

func (s *Service) loadTexts(ctx context.Context) error {
	list, err := s.Texts.Texts(ctx, s.Host.Domain())
	if err != nil {
		return fmt.Errorf("read texts: %w", err)
	}
	s.texts.current.Store(&list)
	return nil
}

// Text returns a text; "" where there is none.
func (s *Service) Text(a Actor, name TextName) (string, error) {
	return (*s.texts.current.Load())[name].Text, a.may(Announce)
}

// SetText sets a text, or deletes it where text is empty. A new message of the day is sent at once to those who are online.
func (s *Service) SetText(ctx context.Context, a Actor, name TextName, text string) error {
	text = strings.TrimSpace(text)
	err := a.may(Announce)
	if err == nil && len(text) > MaxText {
		err = errTooLong()
	}
	if err == nil {
		err = s.Texts.SetText(ctx, s.Host.Domain(), name, text)
	}
	s.audit(ctx, a, "set "+string(name), err, "bytes", len(text))
	if err != nil {
		return err
	}
	if err := s.loadTexts(ctx); err != nil {
		return err
	}
	if name != MessageOfTheDay || text == "" {
		return nil
	}
	return s.sendToOnline(ctx, name)
}

func errTooLong() error {
	return stanza.NotAcceptable(fmt.Sprintf("This text is longer than %d bytes.", MaxText))
}

// sendToOnline sends a text to those accounts with an available session that were not sent it.
func (s *Service) sendToOnline(ctx context.Context, name TextName) error {
	text, ok := (*s.texts.current.Load())[name]
	if !ok {
		return nil
	}
	var accounts []jid.JID
	s.online(Online, func(account jid.JID) bool {
		for _, b := range s.Host.Local(account).Sessions() {
			if b.Presence() != nil {
				accounts = append(accounts, account)
				break
			}
		}
		return true
	})
	for len(accounts) > 0 {
		n := min(batch, len(accounts))
		fresh, err := s.Texts.MarkSeen(ctx, accounts[:n], name, text.Version)
		if err != nil {
			return err
		}
		for _, account := range fresh {
			s.send(account, "", textSubjects[name], text.Text)
		}
		accounts = accounts[n:]
	}
	return nil
}

// Arrived sends an account that comes online the texts that it was not sent: each version once, also if the process ends
// meanwhile. Without texts it costs nothing.
func (s *Service) Arrived(ctx context.Context, session jid.JID) error {
	current := *s.texts.current.Load()
	if len(current) == 0 {
		return nil
	}
	account := session.Bare()
	seen, err := s.Texts.Seen(ctx, account)
	if err != nil {
		return err
	}
	for _, name := range []TextName{Welcome, MessageOfTheDay} {
		text, ok := current[name]
		switch {
		case !ok || seen.Versions[name] >= text.Version:
			continue
		case name == Welcome && (seen.Versions[name] != 0 || seen.Created.Before(text.Since)):
			continue // it is for new accounts, and for each once
		}
		fresh, err := s.Texts.MarkSeen(ctx, []jid.JID{account}, name, text.Version)
		if err != nil {
			return err
		}
		if len(fresh) > 0 {
			s.send(session, "", textSubjects[name], text.Text)
		}
	}
	return nil
}

// AnnounceOnline sends a message to all accounts that are online, and returns their number.
func (s *Service) AnnounceOnline(ctx context.Context, a Actor, text string) (int, error) {
	if err := s.mayAnnounce(ctx, a, "announce to online accounts", text); err != nil {
		return 0, err
	}
	n := 0
	s.online(Online, func(account jid.JID) bool {
		s.send(account, stanza.TypeHeadline, "Announcement", text)
		n++
		return true
	})
	return n, nil
}

// AnnounceAll sends a message to all accounts; those that are not online get it later.
func (s *Service) AnnounceAll(ctx context.Context, a Actor, text string) (int, error) {
	if err := s.mayAnnounce(ctx, a, "announce to all accounts", text); err != nil {
		return 0, err
	}
	n := 0
	for after := ""; ; {
		list, err := s.Texts.AccountsAfter(ctx, s.Host.Domain(), after, batch)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, account := range list {
			s.send(account, "", "Announcement", text)
		}
		n += len(list)
		after = list[len(list)-1].String()
	}
}

func (s *Service) mayAnnounce(ctx context.Context, a Actor, action, text string) error {
	err := a.may(Announce)
	if err == nil && len(text) > MaxText {
		err = errTooLong()
	}
	s.audit(ctx, a, action, err, "bytes", len(text))
	return err
}

// Stop restarts the server or stops it after a delay, and announces that if there is a text.
func (s *Service) Stop(ctx context.Context, a Actor, o StopOptions) error {
	err := a.may(ControlServer)
	if err == nil && len(o.Text) > MaxText {
		err = errTooLong()
	}
	action := "stop the server"
	if o.Again {
		action = "restart the server"
	}
	s.audit(ctx, a, action, err, "after", o.After)
	if err != nil {
		return err
	}
	if o.Text != "" {
		s.online(Online, func(account jid.JID) bool {
			s.send(account, stanza.TypeHeadline, "Announcement", o.Text)
			return true
		})
	}
	s.Options.Stop(o.After, o.Again)
	return nil
}

// StopOptions say how the server stops.
type StopOptions struct {
	After time.Duration
	Again bool // it starts again
	Text  string
}
