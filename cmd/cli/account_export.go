package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/dragoman-im/dragoman/core/accounts"
	"github.com/spf13/cobra"
)

func (p program) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export [USER[@HOST]...]", Short: "Write accounts with all that belongs to them to a file; the server may be running",
		Long: `Write accounts with their contacts, vCard, private data, blocked addresses, waiting messages and archive
to a file or to standard output, as XML (XEP-0227), which other servers read too, or as lines of JSON.

The keys of passwords are written too, so that people can log in where the accounts are imported. Whoever
has the file can impersonate them there, and read their messages: keep it as carefully as the database.
The keys of accounts that are disabled or locked are left out, as the formats cannot say that they may not
log in; the accounts are listed on standard error.`,
		Example: "  dragoman account export ann@example.org -o ann.xml -c dragoman.toml\n" +
			"  dragoman account export --all --format json -o accounts.jsonl -c dragoman.toml",
	}
	all := cmd.Flags().Bool("all", false, "write all accounts")
	withoutKeys := cmd.Flags().Bool("without-keys", false, "leave out the keys of passwords")
	format := cmd.Flags().String("format", string(accounts.XML), "xml or json")
	output := cmd.Flags().StringP("output", "o", "", "file to write, which must not exist; standard output if not given")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *all == (len(args) > 0) {
			return errors.New("name the accounts, or give --all")
		}
		o := accounts.ExportOptions{Format: accounts.Format(*format), WithoutKeys: *withoutKeys, Progress: func(records int) {
			fmt.Fprintln(cmd.ErrOrStderr(), records, "records …")
		}, Barred: func(account string) {
			fmt.Fprintln(cmd.ErrOrStderr(), account, "is disabled or locked: written without its keys")
		}}
		return p.withAccounts(cmd, func(a *accounts.Accounts) error { return exportAccounts(cmd, a, o, *output, args) })
	}
	return cmd
}

func exportAccounts(cmd *cobra.Command, a *accounts.Accounts, o accounts.ExportOptions, output string, names []string) error {
	out := cmd.OutOrStdout()
	finish := func() error { return nil }
	if output != "" {
		f, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // it holds keys and messages
		if err != nil {
			return err
		}
		out, finish = f, func() error { return errors.Join(f.Sync(), f.Close()) }
	}
	n, err := a.Export(cmd.Context(), names, o, out)
	if err = errors.Join(err, finish()); err != nil {
		if output != "" {
			err = errors.Join(err, os.Remove(output)) // a part of an export would pass for a whole one
		}
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), count(n, "account"), "written")
	return nil
}
