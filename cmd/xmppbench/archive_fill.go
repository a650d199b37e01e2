package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// fillWindow is how many messages are under way while an archive is filled.
const fillWindow = 200

// fillArchive gives the account an archive of messages from contacts on the same server, for servers that cannot import one.
func (l archiveLoad) fillArchive(ctx context.Context, t target, o *options) (figures, error) {
	account, err := dial(ctx, t, o, 0)
	if err != nil {
		return nil, err
	}
	defer account.conn.Close()
	if err := (chatLoad{archive: "always"}).prepare(account); err != nil {
		return nil, err
	}
	contacts, err := sessions(ctx, t, &options{user: localContacts, password: o.password, mechanism: o.mechanism, tls: o.tls}, archiveContacts, same)
	if err != nil {
		return nil, err
	}
	defer closeAll(contacts)
	for _, c := range contacts {
		if err := (chatLoad{archive: "never"}).prepare(c); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	if err := l.fillFrom(account, contacts); err != nil {
		return nil, err
	}
	return figures{{"messages", "/s", float64(l.fill) / time.Since(begin).Seconds()}}, nil
}

// fillFrom lets the contacts send messages in turn.
func (l archiveLoad) fillFrom(account *client, contacts []*client) error {
	to, _, _ := strings.Cut(account.jid, "/")
	texts := newTexts(l.fill)
	sent, received := 0, 0
	next := func() error {
		if sent == l.fill {
			return nil
		}
		sent++
		return contacts[sent%len(contacts)].write(fmt.Sprintf("<message to='%s' type='chat' id='m%d'>%s%s</body></message>", to, sent, bodyMark, texts.text(sent)))
	}
	for range fillWindow {
		if err := next(); err != nil {
			return err
		}
	}
	var failed error
	err := account.count(time.Now().Add(fillWait), bodyMark, func([]byte) bool {
		received++
		failed = next()
		return failed != nil || received == l.fill
	})
	if err = errors.Join(err, failed); err == nil && received < l.fill {
		err = fmt.Errorf("%d of %d messages have arrived", received, l.fill)
	}
	return err
}
