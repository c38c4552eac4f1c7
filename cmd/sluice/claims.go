package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sluice/rollout"
	"sluice/router/operator"
)

const claimsUsage = `usage: sluice claims COMMAND [flags]

  open                        list the claims that hold a document now
  ambiguous                   list those whose document may or may not have arrived,
                              and that no request is at work on
  residue                     list those that are open for longer than they should be,
                              with why: the ambiguous ones among them
  show DOC_ID                 list all that is remembered of one document
  settle DOC_ID INTENT LIFE   end an open claim by your word; see below

sluice claims COMMAND -h lists a command's flags.

The gateway settles claims itself, as soon as Temporal or legacy tells. WHY a claim
is still open:

  ambiguous    what was sent may or may not have arrived; the gateways are finding out
  overdue      it is under way, for longer than the horizon (claims.horizon)
  stuck        Temporal took it, or may have, and no longer knows it: it is yours

HINDERED BY says what keeps a run on Temporal from getting on, such as a workflow task
that fails again and again.

Settle by hand only what you have looked up:

  -as done     it was ingested; a retry on Temporal gets its answer
  -as failed   it ran and left nothing behind; a retry runs it again on its path
  -as lost     nobody will ever know; a retry goes to legacy again, as it does without
               the gateway, but is not run again on Temporal: it is answered 409
  -as void     it never ran and never will; a retry is decided afresh

On Temporal it is run again only as failed or void. -reason goes into the audit.
`

// runClaims looks at claims, and settles them, through a gateway's operator API.
func runClaims(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "open", "ambiguous", "residue":
			return claimsList(ctx, args[0], args[1:], stdout, stderr)
		case "show":
			return claimsShow(ctx, args[1:], stdout, stderr)
		case "settle":
			return claimsSettle(ctx, args[1:], stdout, stderr)
		case "help", "-h", "-help", "--help":
			fmt.Fprint(stdout, claimsUsage)
			return flag.ErrHelp
		}
	}
	fmt.Fprint(stderr, claimsUsage)
	return errUsage
}

// claimsList lists open claims, page by page.
func claimsList(ctx context.Context, state string, args []string, stdout, stderr io.Writer) error {
	o := newOperated("claims "+state, stderr)
	limit := o.flags.Int("limit", 1000, "list about so `many` at most; 0 lists all")
	if _, err := o.parse(args); err != nil {
		return err
	}
	if *limit < 0 {
		return o.wrong("-limit: %d is negative", *limit)
	}
	out := newClaimsOutput(stdout, o.json)
	query := url.Values{"state": {state}}
	for left := *limit; ; {
		size := 1000
		if *limit > 0 {
			size = min(size, left)
		}
		query.Set("limit", strconv.Itoa(size))
		var page operator.ClaimPage
		if err := o.get(ctx, "/api/claims", query, &page); err != nil {
			return err
		}
		if err := out.write(page.Claims); err != nil {
			return err
		}
		left -= len(page.Claims)
		if page.Next == "" || (*limit > 0 && left <= 0) {
			return out.end(stderr, state, page.Next != "")
		}
		query.Set("after", page.Next)
	}
}

// claimsShow lists all claims of one document.
func claimsShow(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOperated("claims show", stderr)
	found, err := o.parse(args, "DOC_ID")
	if err != nil {
		return err
	}
	var page operator.ClaimPage
	if err := o.get(ctx, "/api/claims/"+escapePart(found[0]), nil, &page); err != nil {
		return err
	}
	out := newClaimsOutput(stdout, o.json)
	if err := out.write(page.Claims); err != nil {
		return err
	}
	return out.end(stderr, "", false)
}

// escapePart escapes one part of a path, also where it would lead out of it.
func escapePart(part string) string {
	if part == "." || part == ".." {
		return strings.ReplaceAll(part, ".", "%2E")
	}
	return url.PathEscape(part)
}

// claimsSettle ends one open claim.
func claimsSettle(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var words []string
	for _, state := range operator.SettleStates() {
		words = append(words, state.String())
	}
	o := newOperated("claims settle", stderr)
	var s operator.Settlement
	o.flags.StringVar(&s.State, "as", "", "the `state` it ends in: "+strings.Join(words, ", "))
	o.flags.StringVar(&s.Reason, "reason", "", "why, in your words; it is put on record")
	found, err := o.parse(args, "DOC_ID", "INTENT", "LIFE")
	if err != nil {
		return err
	}
	s.DocID, s.Intent = found[0], rollout.Intent(found[1])
	if s.Life, err = strconv.ParseUint(found[2], 10, 64); err != nil || s.Life == 0 {
		return o.wrong("LIFE: %q is not the number of a life", found[2])
	}
	if !slices.Contains(words, s.State) {
		return o.wrong("-as: say one of %s", strings.Join(words, ", "))
	}
	if strings.TrimSpace(s.Reason) == "" {
		return o.wrong("-reason: say why; it is put on record")
	}
	var settled operator.Settled
	if err := o.post(ctx, "/api/claims/settle", s, &settled); err != nil {
		return err
	}
	if o.json {
		return writeLine(stdout, settled)
	}
	_, err = fmt.Fprintf(stdout, "settled as %s; entry %d of the audit\n", settled.State, settled.Audit)
	return err
}
