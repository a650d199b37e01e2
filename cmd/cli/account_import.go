package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/accounts"
)

func (p program) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "import [FILE|DIRECTORY...]", Short: "Make accounts from files or standard input, also from the export of another server",
		Long: `Make accounts from files, or from standard input where none is named. Three kinds of files are recognised:

  XML     of XEP-0227: what 'dragoman account export', 'ejabberdctl export_piefxis' and Prosody's migrator
          write. Files that it includes are read too. A directory stands for all such files in it.
  JSON    lines of 'dragoman account export --format json'
  text    lines with a name and a password: USER[@HOST] PASSWORD. Empty lines and lines that begin with # are
          left out.

XML and JSON bring contacts, vCards, private data, blocked addresses, waiting messages and archives along. The
server must not run meanwhile. An account that exists already is left as it is; with --merge it gets what it
lacks. An import that was interrupted is repeated with --merge. For lines of text the server may be running.

What is not imported is told, and the exit status is 1; the rest is imported.`,
		Example: "  dragoman account import people.txt -c dragoman.toml\n" +
			"  dragoman account import /var/lib/ejabberd/export --merge -c dragoman.toml",
	}
	merge := cmd.Flags().Bool("merge", false, "give accounts that exist what they lack")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, name := range args { // before anything is done
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
		in := bufio.NewReader(cmd.InOrStdin())
		if len(args) == 0 && accounts.ContentsOf(in) == accounts.Text {
			return p.withAccounts(cmd, func(a *accounts.Accounts) error { return importAccounts(cmd, a, in) })
		}
		if len(args) == 1 && isTextFile(args[0]) {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			return p.withAccounts(cmd, func(a *accounts.Accounts) error { return importAccounts(cmd, a, f) })
		}
		c, err := p.load(cmd)
		if err != nil {
			return err
		}
		return importData(cmd, c, *merge, args, in)
	}
	return cmd
}

// isTextFile reports whether a file has lines of names and passwords. What cannot be read is not one.
func isTextFile(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	return err == nil && !info.IsDir() && accounts.ContentsOf(bufio.NewReader(f)) == accounts.Text
}

// importData imports XML and JSON.
func importData(cmd *cobra.Command, c config.Config, merge bool, names []string, in *bufio.Reader) (err error) {
	ctx := cmd.Context()
	im, err := accounts.OpenImport(ctx, c, merge)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, im.Close()) }()
	im.Progress = func(r accounts.ImportReport) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s, %s …\n", count(r.Accounts, "account"), count(r.Archived+r.Offline, "message"))
	}
	if len(names) == 0 {
		err = im.Stream(ctx, in)
	}
	for _, name := range names {
		if err = im.Path(ctx, name); err != nil {
			break
		}
	}
	return errors.Join(err, printReport(cmd, im.Report))
}

// printReport tells what was imported and what was not.
func printReport(cmd *cobra.Command, r accounts.ImportReport) error {
	fmt.Fprintf(cmd.OutOrStdout(), "%s, %s, %s and %s imported\n", count(r.Accounts, "account"), count(r.Contacts, "contact"),
		count(r.Offline, "waiting message"), count(r.Archived, "archived message"))
	if r.Existing > 0 {
		fmt.Fprintln(cmd.OutOrStdout(), count(r.Existing, "message"), "were there already")
	}
	for _, line := range r.Skipped {
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
	if r.More > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "and", r.More, "more")
	}
	if r.Late > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), count(r.Late, "message"), "not imported: older than what is in the archive, which is in the order of time")
	}
	if len(r.Skipped) > 0 || r.Late > 0 {
		return errors.New("not everything was imported; see above")
	}
	return nil
}
