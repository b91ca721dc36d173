"""The words that names of generated modules are made of."""

# As one text: a list of 170 literals would be a page to scroll past.
_TEXT = """
account address adjustment agreement alert allocation analysis approval archive article asset assignment audit
balance batch billing blueprint booking branch budget bundle calendar campaign carrier catalog category
channel charge checkout claim client comment commission company component contact container contract coupon
credit currency customer dashboard deadline delivery deposit device dispatch document draft employee endpoint
entry estimate event expense export feature feedback filter forecast gateway grant group handler history
import_job incident index inspection installment insurance inventory invoice issue item journal key_pair label
layout ledger license limit listing location machine mailing manifest market measure member merchant message
meter milestone movement notice notification offer operation option order order_line outlet owner package
parcel partner passport payment payout period permission pipeline plan policy portfolio position posting
preference price product profile project promotion proposal provider purchase quality quota quote rate rating
receipt recipe refund region register release reminder report request reservation resource return_slip review
role route rule sale schedule segment sensor session shipment signature site snapshot source stage statement
station stock storage subscription supplier survey task team template tenant terminal ticket tracker
transaction transfer trip unit update user vehicle vendor version visit voucher wallet warehouse warranty
webhook worker zone
"""
WORDS = _TEXT.split()
