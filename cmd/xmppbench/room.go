package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// roomCommand measures a room: one occupant sends, all receive.
func roomCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "room", Short: "One room: messages times occupants", Args: cobra.NoArgs}
	room := cmd.Flags().String("room", "", "address of the room, such as bench@conference.localhost")
	users := cmd.Flags().Int("users", 200, "sessions in the room")
	each := cmd.Flags().Int("each", 1, "sessions of each account")
	duration := cmd.Flags().Duration("for", 5*time.Second, "for how long")
	window := cmd.Flags().Int("window", 5, "messages in flight of each speaker")
	speakers := cmd.Flags().Int("speakers", 1, "how many of the sessions send")
	link := cmd.Flags().String("link", "", "beginning of the user names to register with at the room's service first, for a gateway's room (XEP-0077)")
	create := cmd.Flags().Bool("create", false, "configure the room, which does not exist yet, when the first session has entered it")
	archive := cmd.Flags().Bool("archive", false, "with --create: the room has an archive")
	quiet := cmd.Flags().Bool("quiet", false, "with --create: only presence of moderators is sent to the others")
	last := cmd.Flags().Int("last", 0, "send so many messages, each when all have got the one before, and measure the time until the last one has got it")
	bare := cmd.Flags().Bool("bare", false, "with --last: measure also a program that does nothing but write the same bytes to as many sockets")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *room == "" {
			return errors.New("--room is missing")
		}
		return run(cmd.Context(), cmd.OutOrStdout(), o, func(ctx context.Context, t target) (figures, error) {
			return fanOut(ctx, t, o, roomLoad{
				room: strings.ReplaceAll(*room, "DOMAIN", t.domain), link: *link, users: *users, each: max(1, *each), window: *window, speakers: min(max(1, *speakers), *users), length: *duration,
				create: *create, archive: *archive, quiet: *quiet, last: *last, bare: *bare,
			})
		})
	}
	return cmd
}

type roomLoad struct {
	room, link  string
	users, each int
	window      int
	speakers    int
	length      time.Duration

	create, archive, quiet bool

	last int  // messages whose time to the last receiver is measured
	bare bool // and what they cost the bare program
}

// configure makes a new room what it is to be (XEP-0045 §10.1.3).
func (l roomLoad) configure(c *client) error {
	logged := "0"
	if l.archive {
		logged = "1"
	}
	broadcast := ""
	if l.quiet {
		broadcast = "<field var='muc#roomconfig_presencebroadcast'><value>moderator</value></field>"
	}
	answer, err := c.ask("<iq type='set' id='own' to='"+l.room+"'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"+
		"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"+
		"<field var='muc#roomconfig_enablelogging'><value>"+logged+"</value></field>"+broadcast+"</x></query></iq>", "id='own'", "id=\"own\"", "</error>")
	if err != nil || strings.Contains(answer, "</error>") {
		return fmt.Errorf("configure %s: %s %w", l.room, answer, err)
	}
	return nil
}

// account returns the account of session i.
func (l roomLoad) account(i int) int { return i / l.each }

// enter registers with the gateway if necessary, and joins the room.
func (l roomLoad) enter(c *client, i int) error {
	if l.link != "" && i%l.each == 0 {
		_, service, _ := strings.Cut(l.room, "@")
		answer, err := c.ask(fmt.Sprintf("<iq type='set' id='link' to='%s'><query xmlns='jabber:iq:register'><username>%s%d</username><password>x</password></query></iq>",
			service, l.link, l.account(i)+1), "</iq>", "type='result'/>", "id='link'/>")
		if err != nil || strings.Contains(answer, "type='error'") {
			return fmt.Errorf("register with %s: %s %w", service, answer, err)
		}
	}
	join := fmt.Sprintf("<presence to='%s/n%d'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>", l.room, l.account(i))
	for deadline := time.Now().Add(stepTimeout); ; {
		answer, err := c.ask(join, "code='110'", "code=\"110\"", "type='error'", "type=\"error\"")
		if err != nil {
			return fmt.Errorf("join %s: %w", l.room, err)
		}
		if strings.HasSuffix(answer[:len(answer)-1], "code='110") || strings.HasSuffix(answer[:len(answer)-1], "code=\"110") {
			return nil
		}
		why, err := c.until("</presence>")
		if err != nil || l.link == "" || time.Now().After(deadline) {
			return fmt.Errorf("join %s: %s %w", l.room, why, err)
		}
		time.Sleep(50 * time.Millisecond) // a gateway connects to its network shortly after the registration
	}
}

// fullPause is how long the sender waits after the room or its network has refused a message.
const fullPause = 50 * time.Millisecond

func fanOut(ctx context.Context, t target, o *options, l roomLoad) (figures, error) {
	clients, err := sessions(ctx, t, o, l.users, l.account)
	if err != nil {
		return nil, err
	}
	defer closeAll(clients)
	f, err := l.fill(t, clients)
	if err != nil {
		return nil, err
	}
	if l.last > 0 {
		more, err := l.toLast(ctx, t, clients)
		return append(f, more...), err
	}
	begin := time.Now()
	deadline := begin.Add(l.length)
	before, err := measure(t.pids)
	if err != nil {
		return nil, err
	}
	var total atomic.Int64
	latencies := make([][]time.Duration, len(clients))
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		x := exchange{c: c, head: l.head(), tail: messageEnd, begin: begin, deadline: deadline, total: &total, latencies: &latencies[i]}
		if i >= l.speakers {
			wg.Go(func() { errs[i] = x.listen() })
			continue
		}
		if l.speakers > 1 {
			x.own = fmt.Sprintf("speaker%d ", i)
			x.tail = x.own + messageEnd
		}
		x.c.refused = func() error { // the room or its network refuses further messages for the moment
			time.Sleep(fullPause)
			return x.c.write(x.message())
		}
		wg.Go(func() { errs[i] = x.sendWindow(l.window) })
	}
	wg.Wait()
	elapsed := time.Since(begin)
	after, err := measure(t.pids)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	if total.Load() == 0 {
		return nil, errors.New("no message arrived")
	}
	f = append(figures{{"deliveries", "/s", float64(total.Load()) / elapsed.Seconds()}}, f...)
	f = append(append(f, perUnit(before, after, total.Load())...), quantiles(latencies[0])...)
	if l.speakers > 1 {
		for _, x := range quantiles(latencies[len(latencies)-1]) {
			f = append(f, figure{"last " + x.Name, x.Unit, x.Value})
		}
	}
	return f, nil
}

// endOfMessage ends each message.
const endOfMessage = "</message>"

// messageEnd ends the message that head begins; between them is what the sender adds.
var messageEnd = strings.Repeat("x", 40) + "</body>" + endOfMessage

func (l roomLoad) head() string {
	return "<message to='" + l.room + "' type='groupchat' id='b'>" + bodyMark
}
