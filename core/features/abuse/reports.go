package abuse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxReports is the number of reports that operators see at a time, the newest first.
const maxReports = 100

// Report is what an account has reported about an address that it has blocked (XEP-0377 §4).
type Report struct {
	ID         string
	Account    jid.JID
	At         time.Time
	Reported   jid.JID
	Reason     string
	Text       string
	Stanzas    []string // ids of messages in the account's archive
	ToOrigin   bool     // it may be forwarded to the domain of the reported address
	ThirdParty bool     // it may be forwarded to others
}

// ReportStore keeps the reports.
type ReportStore interface {
	// Reports returns the newest reports of a host.
	Reports(ctx context.Context, host jid.JID, limit int) ([]Report, error)
	RemoveReport(ctx context.Context, id string) error
	// ReportedMessages returns messages of an account's archive, as far as they are still there.
	ReportedMessages(ctx context.Context, account jid.JID, ids []string) ([]*stanza.Stanza, error)
}

// Reported notifies the operators about a report: in the log, and by a message to each of them.
func (a *Abuse) Reported(r Report) {
	a.Log.Warn("address reported", "account", r.Account, "reported", r.Reported, "reason", reasonName(r.Reason))
	text := fmt.Sprintf("%s has blocked and reported %s for %s.", r.Account, r.Reported, reasonName(r.Reason))
	if r.Text != "" {
		text += "\n" + r.Text
	}
	text += "\nThe reports are shown by the command “Reports of spam and abuse” of " + a.host.Domain().String() + "."
	for _, to := range a.Operators() {
		st := stanza.NewMessage(to, a.host.Domain(), "", stanza.TextElement(stanza.NSClient, "body", text))
		st.ID = stanza.NewID()
		a.host.Router().Route(st)
	}
}

func reasonName(reason string) string {
	return strings.TrimPrefix(reason, "urn:xmpp:reporting:") // XEP-0377 §4
}

// reportsCommand shows reports to operators, who may remove those that they have dealt with.
func (a *Abuse) reportsCommand() command.Command {
	return command.Command{
		Node: "reports", Name: "Reports of spam and abuse", Desc: "What accounts have reported about addresses that they have blocked.",
		Allowed: func(_ context.Context, who command.Caller) bool { return a.Operator(who.JID) },
		Run: func(ctx context.Context, who command.Caller) (command.Step, error) {
			list, err := a.reports.Reports(ctx, a.host.Domain(), maxReports)
			if err != nil {
				return command.Step{}, err
			}
			if len(list) == 0 {
				return command.Done("There are no reports."), nil
			}
			f := form.New(form.Ask, "", "Reports of spam and abuse")
			choice := form.Field{Var: "report", Type: form.ListSingle, Label: "Report", Required: true}
			for _, r := range list {
				choice.Options = append(choice.Options, form.Option{Label: r.title(), Value: r.ID})
			}
			return command.Step{Form: f.Add(choice), Then: func(ctx context.Context, answers *form.Form) (command.Step, error) {
				for _, r := range list {
					if r.ID == answers.Get("report") {
						return a.showReport(ctx, who.JID, r)
					}
				}
				return command.Failed("There is no such report."), nil
			}}, nil
		},
	}
}

func (r Report) title() string {
	return fmt.Sprintf("%s: %s about %s: %s", r.At.UTC().Format("2006-01-02 15:04"), r.Account, r.Reported, reasonName(r.Reason))
}

// Fields of the form of a report, and what can be blocked for everybody.
const (
	fieldRemove = "remove"
	fieldBlock  = "block"

	blockNothing = "nothing"
	blockAddress = "address"
	blockDomain  = "domain"
)

// showReport shows one report with the messages that it names, and asks whether the reported address is blocked for all accounts, and
// whether the report is done with.
func (a *Abuse) showReport(ctx context.Context, operator jid.JID, r Report) (command.Step, error) {
	f := form.New(form.Ask, "", r.title())
	if r.Text != "" {
		f.Fixed(r.Text)
	}
	list, err := a.reports.ReportedMessages(ctx, r.Account, r.Stanzas)
	if err != nil {
		return command.Step{}, err
	}
	for _, st := range list {
		if st.From.Bare() != r.Reported.Bare() && st.From.Domain() != r.Reported.String() {
			continue // not by the address that is reported: XEP-0377 §6
		}
		if body := st.Child("", "body"); body != nil {
			f.Fixed(st.From.String() + ": " + body.Text())
		}
	}
	f.Fixed(permission(r))
	if a.Block != nil {
		f.Choice(fieldBlock, "Block for everybody on "+a.host.Domain().String(), blockNothing,
			form.Option{Label: "Nothing", Value: blockNothing},
			form.Option{Label: r.Reported.Bare().String(), Value: blockAddress},
			form.Option{Label: "All of " + r.Reported.Domain(), Value: blockDomain})
	}
	f.Bool(fieldRemove, "Remove the report", false)
	return command.Ask(f, func(ctx context.Context, answers *form.Form) (command.Step, error) {
		return a.decide(ctx, operator, r, answers)
	}), nil
}

// decide does what an operator has decided about a report. An address that was blocked is in the list of the command "Edit the blocked
// domains and addresses" (XEP-0133 §4.10), where it can be removed.
func (a *Abuse) decide(ctx context.Context, operator jid.JID, r Report, answers *form.Form) (command.Step, error) {
	note := ""
	if address := chosen(answers.Get(fieldBlock), r.Reported); a.Block != nil && !address.IsZero() {
		if err := a.Block(ctx, operator, address); err != nil {
			return command.Step{}, err
		}
		note = address.String() + " is blocked for everybody. "
	}
	if !answers.IsTrue(fieldRemove) {
		return command.Done(note + "The report stays."), nil
	}
	if err := a.reports.RemoveReport(ctx, r.ID); err != nil {
		return command.Step{}, err
	}
	return command.Done(note + "The report is removed."), nil
}

// chosen returns what is to be blocked, or zero.
func chosen(choice string, reported jid.JID) jid.JID {
	switch choice {
	case blockAddress:
		return reported.Bare()
	case blockDomain:
		return reported.Host()
	}
	return jid.JID{}
}

// permission says to whom the account allows the report to be forwarded (XEP-0377 §5).
func permission(r Report) string {
	switch {
	case r.ToOrigin && r.ThirdParty:
		return "It may be forwarded to " + r.Reported.Domain() + " and to others."
	case r.ToOrigin:
		return "It may be forwarded to " + r.Reported.Domain() + " only."
	case r.ThirdParty:
		return "It may be forwarded to others, but not to " + r.Reported.Domain() + "."
	}
	return "It may be forwarded to nobody."
}
