"""The GraphQL operations of the demo, as a frontend would write them."""

from __future__ import annotations

ADDRESS = {
    "name": "Robin Parent",
    "line1": "12 Lantern Lane",
    "city": "Portland",
    "region": "OR",
    "postalCode": "97201",
    "countryCode": "US",
    "phone": "+1 503 555 0100",
}

SIGN_UP = """
mutation SignUp($input: SignUpInput!) {
  signUp(input: $input) {
    __typename
    ... on SignedIn { user { id displayName } tokens { accessToken } }
    ... on EmailTaken { message }
  }
}
"""

RECORD_CONSENTS = """
mutation RecordConsents($version: String!) {
  profile: recordConsent(input: {purpose: CHILD_PROFILE, policyVersion: $version}) { id purpose }
  ai: recordConsent(input: {purpose: AI_PROCESSING, policyVersion: $version}) { id purpose }
}
"""

CREATE_CHILD = """
mutation CreateChild($input: CreateChildInput!) {
  createChild(input: $input) {
    __typename
    ... on Child { id name }
    ... on ConsentRequired { message }
  }
}
"""

CREATE_BOOK = """
mutation CreateBook($input: CreateBookInput!) {
  createBook(input: $input) { id pageCount brief { wish } }
}
"""

GENERATE_BOOK = """
mutation GenerateBook($bookId: ID!) {
  generateBook(input: {bookId: $bookId}) {
    __typename
    ... on Generation { id provider steps { kind } }
    ... on ConsentRequired { message }
    ... on GenerationRunning { message }
    ... on GenerationLimitReached { message }
    ... on ModerationRejected { message }
  }
}
"""

REGENERATE_PICTURE = """
mutation RegeneratePicture($pageId: ID!, $instruction: String!) {
  regeneratePage(input: {pageId: $pageId, parts: [ILLUSTRATION], instruction: $instruction}) {
    __typename
    ... on Generation { id }
    ... on ConsentRequired { message }
    ... on GenerationRunning { message }
    ... on GenerationLimitReached { message }
    ... on ModerationRejected { message }
  }
}
"""

WATCH_GENERATION = """
subscription WatchGeneration($id: ID!, $after: Int!) {
  generation(id: $id, after: $after) {
    __typename
    sequence
    ... on OutlineWritten { title }
    ... on TextDelta { writing: page { number } text }
    ... on PageWritten { written: page { number text } }
    ... on IllustrationReady { drawnFor: page { number } illustration { sha256 altText } }
    ... on StepFailed { message retrying }
    ... on GenerationCompleted { book { title pageCount } }
    ... on GenerationFailed { message }
  }
}
"""

READ_BOOK = """
query ReadBook($id: ID!) {
  book(id: $id) {
    id title status version
    pages { id number layout text version illustration { sha256 } }
  }
}
"""

EDIT_PAGE = """
mutation EditPage($input: EditPageInput!) {
  editPage(input: $input) {
    __typename
    ... on Page { id number text version }
    ... on EditConflict { message }
    ... on TextDoesNotFit { message maximumCharacters }
  }
}
"""

APPROVE_BOOK = """
mutation ApproveBook($bookId: ID!, $expectedVersion: Int!) {
  approveBook(input: {bookId: $bookId, expectedVersion: $expectedVersion}) {
    __typename
    ... on Snapshot { id contentHash pageCount }
    ... on BookConflict { message }
    ... on BookIncomplete { message pages }
  }
}
"""

PRINT_FILES = """
query PrintFiles($snapshotId: ID!) {
  snapshot(id: $snapshotId) {
    interior { ...file }
    cover { ...file }
  }
}
fragment file on PrintFile { url sha256 pageCount bytes widthPoints heightPoints }
"""

PRINT_PRODUCTS = """
query PrintProducts($snapshotId: ID!) {
  snapshot(id: $snapshotId) { format { printProducts { id name } } }
}
"""

CREATE_QUOTE = """
mutation CreateQuote($input: CreateQuoteInput!) {
  createQuote(input: $input) {
    __typename
    ... on Quote {
      id shippingLevel
      items { amount currency } shipping { amount currency } total { amount currency }
    }
    ... on BookNotApproved { message }
    ... on ProductDoesNotFit { message }
  }
}
"""

CHECKOUT = """
mutation Checkout($quoteId: ID!, $attemptKey: String!) {
  checkout(input: {quoteId: $quoteId, paymentMethod: "pm_card_visa", attemptKey: $attemptKey}) {
    __typename
    ... on Order { id number status paymentAttempts { status provider } }
    ... on PaymentDeclined { message declineCode }
    ... on PaymentActionRequired { attempt { id } action { redirectUrl } }
    ... on PaymentPending { attempt { id } }
    ... on QuoteExpired { message }
  }
}
"""

WATCH_ORDER = """
subscription WatchOrder($id: ID!, $after: Int!) {
  order(id: $id, after: $after) {
    sequence
    status
    order { number printJob { status preflight { passed issues { message } effectivePpi } } }
  }
}
"""

EVERYTHING = """
query Everything {
  me {
    displayName
    children { name }
    books(first: 1) {
      nodes {
        title
        status
        generation { status stepsDone stepsTotal provider }
        orders {
          number
          status
          total { amount currency }
          printJob { status providerReference shipment { carrier trackingId } }
        }
      }
    }
  }
}
"""
