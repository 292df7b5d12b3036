package web

// The pages say what happened, and what to do next, in words for somebody who
// wanted to use the application and never heard of tokens.

func again(title, to, code string, text ...string) Page {
	return Page{Title: title, Text: text, Action: "Sign in again", Target: loginPath(localPath(to)), Code: code}
}

func pageCancelled(to, code string) Page {
	return again("You were not signed in", to, code, "The sign-in was cancelled, or access was not granted.",
		"Nothing was changed. You can sign in again whenever you like.")
}

func pageRefused(to, code string) Page {
	return again("You were not signed in", to, code, "The sign-in service did not let the sign-in go through.",
		"Please try once more. If it happens again, tell the people who run this application.")
}

func pageExpired(to string) Page {
	return again("The sign-in took too long", to, "", "For your safety a sign-in has to be finished within ten minutes.")
}

func pageUnknown() Page {
	return again("This sign-in can't be finished", "/", "",
		"It was begun in another browser or too long ago, or this browser doesn't keep cookies for this site.",
		"If you didn't try to sign in just now, somebody else's link brought you here, and you can close this page.")
}

func pageStrange() Page {
	return again("This sign-in can't be finished", "/", "", "What arrived here isn't what the sign-in service sends. Nobody was signed in.",
		"If you didn't try to sign in just now, somebody else's link brought you here, and you can close this page.")
}

func pageUsed(to string) Page {
	return Page{Title: "This sign-in was already used", Text: []string{"The page was sent twice, for example by going back or by reloading."},
		Action: "Continue", Target: localPath(to)}
}

func pageSignIn(to string) Page {
	return Page{Title: "Please sign in", Text: []string{"You are not signed in, or have to sign in once more for this. What you sent was not processed."},
		Action: "Sign in", Target: loginPath(localPath(to))}
}

func pageForbidden() Page {
	return Page{Title: "You don't have access", Text: []string{"You are signed in with an account that may not use this.",
		"Ask the people who run this application, or sign in with another account."},
		Action: "Use another account", Target: routes + "login?prompt=select_account"}
}

func pageUnavailable() Page {
	return Page{Title: "This doesn't work right now", Text: []string{"A service that is needed for this can't be reached, or gave an answer that can't be used.",
		"Please try again in a few minutes."}, Action: "Go to the start page", Target: "/"}
}

func pageSignOut(action, csrf string) Page {
	return Page{Title: "Sign out?", Text: []string{"You will be signed out here and at the sign-in service."},
		Action: "Sign out", Target: action, Fields: map[string]string{CSRFField: csrf}}
}

func pageSignedOut(to string) Page {
	return Page{Title: "You are signed out", Action: "Continue", Target: to}
}

func pageForged(to string) Page {
	return Page{Title: "Please confirm", Text: []string{"The request to sign you out didn't come from a page of your present session. You are still signed in."},
		Action: "Sign out", Target: to}
}
