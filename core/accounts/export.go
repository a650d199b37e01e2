package accounts

import (
	"context"
	"fmt"
	"io"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/portable"
)

// Format is a format of exported accounts.
type Format string

// The formats.
const (
	XML  Format = "xml"  // XEP-0227
	JSON Format = "json" // lines of JSON
)

// ExportOptions are the parameters of Accounts.Export.
type ExportOptions struct {
	Format      Format
	WithoutKeys bool              // leaves out the keys of passwords
	Progress    func(records int) // called now and then; may be nil
	// Barred is called for each account whose keys are left out because it is disabled or locked; may be nil.
	Barred func(account string)
}

// recordWriter is a format of package portable.
type recordWriter interface {
	Write(portable.Record) error
	Close() error
}

func (f Format) writer(out io.Writer) (recordWriter, error) {
	switch f {
	case XML:
		return portable.NewXMLWriter(out), nil
	case JSON:
		return portable.NewJSONWriter(out), nil
	}
	return nil, fmt.Errorf("the format is %s or %s, not %q", XML, JSON, string(f))
}

// exportProgress is the number of records after which progress is told.
const exportProgress = 100_000

// Export writes accounts with all that belongs to them, or all accounts if none is named. It returns their number.
func (a *Accounts) Export(ctx context.Context, names []string, o ExportOptions, out io.Writer) (int, error) {
	w, err := o.Format.writer(out)
	if err != nil {
		return 0, err
	}
	accounts, err := a.exported(ctx, names)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, account := range accounts {
		for r, err := range portable.Export(ctx, a.store, account) {
			if err == nil && !(o.WithoutKeys && r.Key != nil) {
				err = w.Write(r)
			}
			if err != nil {
				return 0, accountError(account, err)
			}
			if r.Made != nil && r.Made.Barred && o.Barred != nil {
				o.Barred(account.String())
			}
			if n++; n%exportProgress == 0 && o.Progress != nil {
				o.Progress(n)
			}
		}
	}
	return len(accounts), w.Close()
}

// exported returns the addresses of the named accounts, or of all if none is named, by host.
func (a *Accounts) exported(ctx context.Context, names []string) (list []jid.JID, err error) {
	var wanted []jid.JID
	for _, name := range names {
		account, err := a.address(name)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, account)
	}
	if len(names) == 0 {
		all, err := a.store.Accounts(ctx)
		if err != nil {
			return nil, err
		}
		for _, account := range all {
			wanted = append(wanted, account.JID)
		}
	}
	for _, host := range a.config.Server.Hosts {
		for _, account := range wanted {
			if account.Domain() == host {
				list = append(list, account)
			}
		}
	}
	return list, nil
}
